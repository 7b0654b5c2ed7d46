// The signals of a child: what it blocks and what each does at its start.
//
//   command.signals.dispositions[SIGINT] = SignalDisposition::kIgnore;
//   command.signals.blocked = {SIGUSR1};
//
// Without a word about a signal: what we handle gets its default action, what
// we ignore stays ignored (nohup(1) depends on it), SIGPIPE and SIGXFSZ get
// their default action in any case, and nothing is blocked (row P5; asyncio
// lets its own mask through).
#ifndef TROUPE_PROCESS_SIGNAL_SETUP_H_
#define TROUPE_PROCESS_SIGNAL_SETUP_H_

#include <map>
#include <set>

#include "absl/status/status.h"

namespace troupe {

enum class SignalDisposition { kDefault, kIgnore };

// Numbers are 1 to 64, those that libc keeps for itself (32, 33) included.
// SIGKILL and SIGSTOP can be neither blocked nor ignored.
struct SignalSetup {
  std::set<int> blocked = {};
  std::map<int, SignalDisposition> dispositions = {};

  // Those we ignore get their default action, too; `dispositions` outdoes it.
  bool ignored_to_default = false;

  friend bool operator==(const SignalSetup&, const SignalSetup&) = default;
};

absl::Status Validate(const SignalSetup& signals);

}  // namespace troupe

#endif  // TROUPE_PROCESS_SIGNAL_SETUP_H_
