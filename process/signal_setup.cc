#include "process/signal_setup.h"

#include <csignal>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

namespace troupe {
namespace {

absl::Status ValidateNumber(int number, absl::string_view what) {
  if (number < 1 || number > 64) {
    return absl::InvalidArgumentError(
        absl::StrCat("no such signal to ", what, ": ", number));
  }
  if (number == SIGKILL || number == SIGSTOP) {
    return absl::InvalidArgumentError(absl::StrCat(
        number == SIGKILL ? "SIGKILL" : "SIGSTOP", " is not one to ", what));
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status Validate(const SignalSetup& signals) {
  absl::Status status;
  for (int number : signals.blocked) {
    status.Update(ValidateNumber(number, "block"));
  }
  for (const auto& [number, disposition] : signals.dispositions) {
    const bool ignore = disposition == SignalDisposition::kIgnore;
    status.Update(ValidateNumber(number, ignore ? "ignore" : "reset"));
  }
  return status;
}

}  // namespace troupe
