#include "examples/troupe/source_text.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "io/os_error.h"
#include "io/owned_fd.h"

namespace troupe {
namespace {

constexpr size_t kLimit = 1 << 20;

}  // namespace

std::string Describe(absl::string_view file, const Problem& problem) {
  return absl::StrCat(file, ":", problem.line, ":", problem.column, ": ",
                      problem.text);
}

std::vector<absl::string_view> SourceLines(absl::string_view text) {
  absl::ConsumePrefix(&text, "\xEF\xBB\xBF");
  std::vector<absl::string_view> lines = absl::StrSplit(text, '\n');
  for (absl::string_view& line : lines) absl::ConsumeSuffix(&line, "\r");
  if (lines.back().empty()) lines.pop_back();
  return lines;
}

absl::StatusOr<std::string> ReadSourceText(const std::string& path) {
  OwnedFd fd(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd.valid()) return OsError(errno, "open", path);
  std::string text;
  char buffer[16384];
  while (true) {
    ssize_t n = read(fd.get(), buffer, sizeof buffer);
    if (n == 0) return text;
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return OsError(errno, "read", path);
    text.append(buffer, n);
    if (text.size() > kLimit) return OsError(EFBIG, "read", path);
  }
}

}  // namespace troupe
