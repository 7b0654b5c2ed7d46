// When a writer is told to pause and when to go on (rows W17 to W20).
//
//   WaterMarks marks;                       // pause above 64 KiB, resume at 16
//   if (marks.Next(paused, size) == WaterMarks::Change::kPause) ...
#ifndef TROUPE_IO_WATER_MARKS_H_
#define TROUPE_IO_WATER_MARKS_H_

#include <cstddef>
#include <limits>
#include <optional>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"

namespace troupe {

class WaterMarks {
 public:
  static constexpr size_t kDefaultHigh = 64 * 1024;

  // One mark alone fixes the other: low is a quarter of high, high four times
  // low. INVALID_ARGUMENT with asyncio's text when low is above high.
  static absl::StatusOr<WaterMarks> Create(std::optional<size_t> high,
                                           std::optional<size_t> low) {
    size_t h = high.value_or(low.has_value() ? FourTimes(*low) : kDefaultHigh);
    size_t l = low.value_or(h / 4);
    if (h < l) {
      return absl::InvalidArgumentError(
          absl::StrCat("high (", h, ") must be >= low (", l, ") must be >= 0"));
    }
    WaterMarks marks;
    marks.high_ = h;
    marks.low_ = l;
    return marks;
  }

  size_t high() const { return high_; }
  size_t low() const { return low_; }

  enum class Change { kNone, kPause, kResume };

  // Paused above the high mark, resumed at or below the low one: what
  // changes for a writer that is `paused` with `size` bytes in the buffer.
  Change Next(bool paused, size_t size) const {
    if (!paused && size > high_) return Change::kPause;
    if (paused && size <= low_) return Change::kResume;
    return Change::kNone;
  }

 private:
  static size_t FourTimes(size_t n) {
    constexpr size_t kMost = std::numeric_limits<size_t>::max();
    return n > kMost / 4 ? kMost : n * 4;
  }

  size_t high_ = kDefaultHigh;
  size_t low_ = kDefaultHigh / 4;
};

}  // namespace troupe

#endif  // TROUPE_IO_WATER_MARKS_H_
