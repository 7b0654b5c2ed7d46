#include "io/os_error.h"

#include <cstring>
#include <vector>

#include "absl/strings/cord.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

namespace troupe {
namespace {

constexpr char kPayload[] = "troupe/os_failure";

}  // namespace

std::string ErrnoText(int error_number) {
  char buffer[128];
  return strerror_r(error_number, buffer, sizeof buffer);
}

absl::Status OsError(int error_number, absl::string_view step,
                     absl::string_view path) {
  std::string text(step);
  if (!path.empty()) absl::StrAppend(&text, " \"", path, "\"");
  absl::StrAppend(&text, ": ", ErrnoText(error_number));
  absl::Status status(absl::ErrnoToStatusCode(error_number), text);
  // Neither a path nor the name of a step contains a NUL.
  status.SetPayload(kPayload, absl::Cord(absl::StrCat(
                                  error_number, absl::string_view("\0", 1),
                                  step, absl::string_view("\0", 1), path)));
  return status;
}

std::optional<OsFailure> OsFailureOf(const absl::Status& status) {
  auto payload = status.GetPayload(kPayload);
  if (!payload.has_value()) return std::nullopt;
  std::vector<std::string> fields =
      absl::StrSplit(std::string(*payload), absl::MaxSplits('\0', 2));
  OsFailure failure;
  if (fields.size() != 3 ||
      !absl::SimpleAtoi(fields[0], &failure.error_number)) {
    return std::nullopt;
  }
  failure.step = fields[1];
  failure.path = fields[2];
  return failure;
}

}  // namespace troupe
