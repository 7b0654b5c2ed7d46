// A time as people type it on the command line.
//
//   ParseTimeout("5s")     // also 500ms, 1m30s, 1.5h
//   ParseTimeout("5")      // a plain number is seconds, as in timeout(1)
//   TimeoutText(absl::Milliseconds(3217))  // "3.2s"
#ifndef TROUPE_EXAMPLES_TROUPE_TIMEOUT_H_
#define TROUPE_EXAMPLES_TROUPE_TIMEOUT_H_

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace troupe {

// From 0 to a year, so that adding it to a clock cannot overflow; else
// kInvalidArgument with a text for the user.
absl::StatusOr<absl::Duration> ParseTimeout(absl::string_view text);

// Rounded down to what a reader wants to know: below 1 s to milliseconds,
// below 10 s to tenths, above that to seconds.
std::string TimeoutText(absl::Duration duration);

}  // namespace troupe

#endif  // TROUPE_EXAMPLES_TROUPE_TIMEOUT_H_
