// A small text file that people write, and what is wrong with it, by line and
// column.
//
//   auto text = ReadSourceText("Procfile");
//   for (absl::string_view line : SourceLines(*text)) ...
//   Describe("Procfile", {3, 1, "no colon"})   // Procfile:3:1: no colon
//
// Lines end in LF or CRLF; a byte order mark at the start is skipped. Any other
// byte stays as it is: nothing here asks for UTF-8.
#ifndef TROUPE_EXAMPLES_TROUPE_SOURCE_TEXT_H_
#define TROUPE_EXAMPLES_TROUPE_SOURCE_TEXT_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace troupe {

struct Problem {
  int line = 0;    // from 1
  int column = 0;  // from 1, in bytes, as compilers count
  std::string text;

  friend bool operator==(const Problem&, const Problem&) = default;
};

std::string Describe(absl::string_view file, const Problem& problem);

// Views into `text`, without the line ends.
std::vector<absl::string_view> SourceLines(absl::string_view text);

// The whole file; errors are OsError's. A file over 1 MiB is EFBIG: it is not
// what the user meant (`-f /dev/zero`).
absl::StatusOr<std::string> ReadSourceText(const std::string& path);

}  // namespace troupe

#endif  // TROUPE_EXAMPLES_TROUPE_SOURCE_TEXT_H_
