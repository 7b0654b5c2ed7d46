#include "process/captured_output.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"

namespace troupe {

std::string CapturedText::ToString() const {
  if (!truncated()) return head + tail;
  return absl::StrCat(head, "[... ", dropped, " bytes dropped ...]", tail);
}

void CapturedOutput::Add(absl::string_view bytes) {
  size_t to_head = std::min(bytes.size(), limits_.head - head_.size());
  head_.append(bytes.data(), to_head);
  AddToTail(bytes.substr(to_head));
}

void CapturedOutput::AddToTail(absl::string_view bytes) {
  if (bytes.size() > limits_.tail) {
    size_t over = bytes.size() - limits_.tail;
    dropped_ += over;
    bytes.remove_prefix(over);
  }
  size_t to_end = std::min(bytes.size(), limits_.tail - tail_.size());
  tail_.append(bytes.data(), to_end);
  bytes.remove_prefix(to_end);
  dropped_ += bytes.size();
  while (!bytes.empty()) {
    size_t size = std::min(bytes.size(), limits_.tail - tail_next_);
    std::copy_n(bytes.data(), size, tail_.begin() + tail_next_);
    tail_next_ = (tail_next_ + size) % limits_.tail;
    bytes.remove_prefix(size);
  }
}

CapturedText CapturedOutput::Take() {
  std::rotate(tail_.begin(), tail_.begin() + tail_next_, tail_.end());
  tail_next_ = 0;
  return {std::exchange(head_, {}), std::exchange(dropped_, 0),
          std::exchange(tail_, {})};
}

}  // namespace troupe
