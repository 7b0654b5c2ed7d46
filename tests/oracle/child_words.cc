#include "tests/oracle/child_words.h"

#include <errno.h>
#include <string.h>

#include <cstdint>
#include <cstdlib>
#include <optional>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "io/os_error.h"

namespace troupe {
namespace {

constexpr size_t kShown = 60;  // bytes

uint32_t Adler32(absl::string_view data) {
  uint32_t low = 1, high = 0;
  for (unsigned char byte : data) {
    low = (low + byte) % 65521;
    high = (high + low) % 65521;
  }
  return high << 16 | low;
}

}  // namespace

std::string WordsOf(const absl::Status& status) {
  std::optional<OsFailure> failure = OsFailureOf(status);
  if (failure.has_value()) return strerrorname_np(failure->error_number);
  const std::string code = absl::StatusCodeToString(status.code());
  if (!absl::IsInvalidArgument(status)) return code;
  return absl::StrCat(code, " ", status.message());
}

absl::Status InWords(const absl::Status& status) {
  return status.ok() ? status : absl::UnknownError(WordsOf(status));
}

std::string Shown(absl::string_view data, pid_t pid) {
  if (data.size() > kShown) {
    return absl::StrCat(data.size(), " bytes, sum ", Adler32(data));
  }
  std::string text;
  for (unsigned char byte : data) {
    if (byte == '\n') {
      text += "\\n";
    } else if (byte >= 32 && byte < 127) {
      text += static_cast<char>(byte);
    } else {
      absl::StrAppend(&text, "\\x", absl::Hex(byte, absl::kZeroPad2));
    }
  }
  return absl::StrCat(
      "'", absl::StrReplaceAll(text, {{absl::StrCat(pid), "PID"}}), "'");
}

std::string BytesOf(const Words& words, size_t from) {
  return absl::StrReplaceAll(
      JoinWords(words, from),
      {{"\\n", "\n"}, {"\\0", absl::string_view("\0", 1)}});
}

int IntOf(const std::string& word) {
  int number = 0;
  if (!absl::SimpleAtoi(word, &number)) std::abort();
  return number;
}

}  // namespace troupe
