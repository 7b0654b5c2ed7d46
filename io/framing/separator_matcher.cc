#include "io/framing/separator_matcher.h"

#include <cstring>
#include <utility>

namespace troupe {

SeparatorMatcher::SeparatorMatcher(std::string separator)
    : separator_(std::move(separator)) {
  // The separator, but for its first byte, is searched for itself.
  for (size_t i = 0; i + 1 < separator_.size(); ++i) {
    if (i > 0) Step(separator_[i]);
    fallback_.push_back(matched_);
  }
  Reset();
}

std::optional<size_t> SeparatorMatcher::Find(absl::string_view text) {
  const char* at = text.data();
  const char* end = at + text.size();
  while (at != end) {
    if (matched_ == 0) {
      at = static_cast<const char*>(memchr(at, separator_[0], end - at));
      if (at == nullptr) return std::nullopt;
    }
    Step(*at++);
    if (matched_ == separator_.size()) {
      Reset();
      return at - text.data();
    }
  }
  return std::nullopt;
}

void SeparatorMatcher::Step(char c) {
  while (matched_ > 0 && separator_[matched_] != c) {
    matched_ = fallback_[matched_ - 1];
  }
  if (separator_[matched_] == c) ++matched_;
}

}  // namespace troupe
