#include "examples/troupe/line_splitter.h"

#include <algorithm>

namespace troupe {

void LineSplitter::Add(absl::string_view bytes, Sink sink) {
  while (!bytes.empty()) {
    // One byte further than a line may reach: a line of just 64 KiB is whole if
    // its LF comes next. No search goes further, so none is done twice.
    size_t room = kLongestLine - partial_.size();
    absl::string_view reach = bytes.substr(0, room + 1);
    size_t end = reach.find('\n');
    bool whole = end != absl::string_view::npos;
    if (!whole && reach.size() <= room) {
      partial_.append(bytes.data(), bytes.size());
      return;
    }
    absl::string_view text = bytes.substr(0, whole ? end : room);
    bytes.remove_prefix(whole ? end + 1 : room);
    if (partial_.empty()) {
      sink({text, !whole});
    } else {
      partial_.append(text.data(), text.size());
      sink({partial_, !whole});
      partial_.clear();
    }
  }
}

void LineSplitter::Finish(Sink sink) {
  if (!partial_.empty()) sink({partial_, false});
  partial_ = std::string();
}

}  // namespace troupe
