// How to ask a process to end, as data: signals of growing firmness, each with
// the time the process has before the next.
//
//   StopPlan plan;           // the default, "SIGTERM 5s SIGKILL"
//   StopPlan polite{{{SIGINT, 2s}, {SIGTERM, 5s}, {SIGKILL}}};
//
// StopWalk walks it. A plan without rungs waits for ever; one that does not end
// with SIGKILL may never succeed.
#ifndef TROUPE_PROCESS_STOP_PLAN_H_
#define TROUPE_PROCESS_STOP_PLAN_H_

#include <signal.h>

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"

namespace troupe {

struct StopRung {
  int signal = SIGTERM;
  // Time until the next rung, or until the walk gives up; nothing: no limit,
  // the walk stays here.
  std::optional<std::chrono::nanoseconds> wait = std::nullopt;

  friend bool operator==(const StopRung&, const StopRung&) = default;
};

struct StopPlan {
  std::vector<StopRung> rungs = {{SIGTERM, std::chrono::seconds(5)},
                                 {SIGKILL, std::nullopt}};

  // "SIGTERM 5s SIGKILL"; "no signal" without rungs.
  std::string ToString() const;

  friend bool operator==(const StopPlan&, const StopPlan&) = default;
};

// InvalidArgument for a signal that does not exist or that stops a process
// instead of ending it, a negative wait, or rungs behind one without limit.
absl::Status Validate(const StopPlan& plan);

}  // namespace troupe

#endif  // TROUPE_PROCESS_STOP_PLAN_H_
