#include "examples/troupe/timeout.h"

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"

namespace troupe {

absl::StatusOr<absl::Duration> ParseTimeout(absl::string_view text) {
  absl::Duration result;
  bool plain = !text.empty() &&
               absl::ascii_isdigit(static_cast<unsigned char>(text.back()));
  std::string with_unit = plain ? absl::StrCat(text, "s") : std::string(text);
  if (!absl::ParseDuration(with_unit, &result)) {
    return absl::InvalidArgumentError(
        absl::StrCat("\"", absl::Utf8SafeCHexEscape(text),
                     "\" is not a time such as 5s, 500ms or 1m30s"));
  }
  constexpr int kYearInHours = 365 * 24;
  if (result < absl::ZeroDuration() || result > absl::Hours(kYearInHours)) {
    return absl::InvalidArgumentError(
        absl::StrCat("\"", absl::Utf8SafeCHexEscape(text),
                     "\" is not between 0 and ", kYearInHours, "h"));
  }
  return result;
}

std::string TimeoutText(absl::Duration duration) {
  absl::Duration unit = duration < absl::Seconds(1)    ? absl::Milliseconds(1)
                        : duration < absl::Seconds(10) ? absl::Milliseconds(100)
                                                       : absl::Seconds(1);
  return absl::FormatDuration(absl::Floor(duration, unit));
}

}  // namespace troupe
