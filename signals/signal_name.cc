#include "signals/signal_name.h"

#include <csignal>
#include <cstring>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"

namespace troupe {
namespace {

// What follows "RTMIN" or "RTMAX": nothing, or an offset with its sign.
std::optional<int> Offset(absl::string_view text) {
  if (text.empty()) return 0;
  int offset = 0;
  if (text[0] != '+' && text[0] != '-') return std::nullopt;
  if (!absl::SimpleAtoi(text, &offset)) return std::nullopt;
  return offset;
}

std::optional<int> RealTimeNumber(absl::string_view name) {
  int base = SIGRTMIN;
  if (!absl::ConsumePrefix(&name, "RTMIN")) {
    if (!absl::ConsumePrefix(&name, "RTMAX")) return std::nullopt;
    base = SIGRTMAX;
  }
  auto offset = Offset(name);
  if (!offset.has_value() || *offset < -SIGRTMAX || *offset > SIGRTMAX) {
    return std::nullopt;
  }
  int number = base + *offset;
  if (number < SIGRTMIN || number > SIGRTMAX) return std::nullopt;
  return number;
}

}  // namespace

std::string SignalName(int signal_number) {
  const char* name = sigabbrev_np(signal_number);
  if (name != nullptr) return absl::StrCat("SIG", name);
  if (signal_number == SIGRTMIN) return "SIGRTMIN";
  if (signal_number > SIGRTMIN && signal_number <= SIGRTMAX) {
    return absl::StrCat("SIGRTMIN+", signal_number - SIGRTMIN);
  }
  return absl::StrCat("signal ", signal_number);
}

std::optional<int> SignalNumber(absl::string_view name) {
  int number = 0;
  if (absl::SimpleAtoi(name, &number)) {
    if (number < 1 || number > SIGRTMAX) return std::nullopt;
    return number;
  }
  std::string upper = absl::AsciiStrToUpper(name);
  absl::string_view rest = upper;
  absl::ConsumePrefix(&rest, "SIG");
  for (number = 1; number < SIGRTMIN; ++number) {
    const char* known = sigabbrev_np(number);
    if (known != nullptr && rest == known) return number;
  }
  return RealTimeNumber(rest);
}

}  // namespace troupe
