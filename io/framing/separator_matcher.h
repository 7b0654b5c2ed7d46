// Finds a separator in a stream of bytes, each of which is looked at once: what
// was seen of a separator is remembered as its length (the method of Knuth,
// Morris and Pratt), also for a separator that overlaps itself.
#ifndef TROUPE_IO_FRAMING_SEPARATOR_MATCHER_H_
#define TROUPE_IO_FRAMING_SEPARATOR_MATCHER_H_

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace troupe {

class SeparatorMatcher {
 public:
  // At least one byte.
  explicit SeparatorMatcher(std::string separator);

  // How many bytes of `text`, which follows what was given before, there are
  // to the first separator's end; the next call is about what is behind it.
  // Nothing: all of `text` has been looked at.
  std::optional<size_t> Find(absl::string_view text);

  // What comes next follows nothing.
  void Reset() { matched_ = 0; }

  const std::string& separator() const { return separator_; }

 private:
  void Step(char c);

  std::string separator_;
  // For each length but the whole: how much of a separator is left to go on
  // with when the byte behind that much of it is another.
  std::vector<size_t> fallback_;
  size_t matched_ = 0;
};

}  // namespace troupe

#endif  // TROUPE_IO_FRAMING_SEPARATOR_MATCHER_H_
