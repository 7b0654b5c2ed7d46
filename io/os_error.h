// A refusal of the operating system as an absl::Status: what was attempted, on
// what, and why it failed.
//
//   return OsError(errno, "exec", "/no/such");
//   // NOT_FOUND: exec "/no/such": No such file or directory
//
// The three fields stay readable through OsFailureOf(); nobody parses the text.
#ifndef TROUPE_IO_OS_ERROR_H_
#define TROUPE_IO_OS_ERROR_H_

#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace troupe {

struct OsFailure {
  std::string step;      // what was attempted: a call or a stage, "exec"
  std::string path;      // on what; may be empty
  int error_number = 0;  // errno
};

// The code follows absl::ErrnoToStatusCode.
absl::Status OsError(int error_number, absl::string_view step,
                     absl::string_view path = "");

// The fields of a status made by OsError; nothing for any other status.
std::optional<OsFailure> OsFailureOf(const absl::Status& status);

// `Broken pipe` for EPIPE; safe from any thread.
std::string ErrnoText(int error_number);

}  // namespace troupe

#endif  // TROUPE_IO_OS_ERROR_H_
