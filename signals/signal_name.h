// Signal numbers as people write them, and back.
//
//   SignalName(SIGTERM)       "SIGTERM"
//   SignalName(SIGRTMIN + 3)  "SIGRTMIN+3"
//   SignalName(99)            "signal 99"
//   SignalNumber("term")      SIGTERM; so do "SIGTERM" and "15"
//
// Real-time signals count from SIGRTMIN, which libc moves up past the numbers
// it keeps for itself (signal(7)); those have no name here. Safe from any
// thread.
#ifndef TROUPE_SIGNALS_SIGNAL_NAME_H_
#define TROUPE_SIGNALS_SIGNAL_NAME_H_

#include <optional>
#include <string>

#include "absl/strings/string_view.h"

namespace troupe {

std::string SignalName(int signal_number);

// Case and the prefix "SIG" do not matter; a decimal number from 1 to SIGRTMAX
// is taken as it is. Nothing for anything else.
std::optional<int> SignalNumber(absl::string_view name);

}  // namespace troupe

#endif  // TROUPE_SIGNALS_SIGNAL_NAME_H_
