#include "io/framing/partial_frame.h"

#include <algorithm>
#include <utility>

namespace troupe {

void PartialFrame::Add(absl::string_view bytes, size_t most) {
  size_t size = text_.size() + bytes.size();
  if (size > text_.capacity()) {
    // A fresh string takes the capacity it is told; one that grows may double.
    std::string bigger;
    bigger.reserve(std::min(std::max(size, 2 * text_.capacity()), most));
    bigger.append(text_);
    text_ = std::move(bigger);
  }
  text_.append(bytes.data(), bytes.size());
}

Bytes PartialFrame::EndWith(Bytes last, size_t most) {
  if (text_.empty()) return last;
  Add(last.view(), most);
  return Take();
}

Bytes PartialFrame::Take() { return Bytes(std::exchange(text_, {})); }

}  // namespace troupe
