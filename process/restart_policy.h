// Whether a child that ended is started again, and when.
//
//   RestartPolicy policy{.when = RestartWhen::kOnFailure};
//   RestartDecision next = DecideRestart(policy, history, run, now);
//   history = next.history;
//   if (next.action == RestartAction::kRestart) StartAfter(next.delay);
//
// A pure function over data: the same input gives the same answer, and nobody's
// clock is asked. Times are of any one steady clock.
#ifndef TROUPE_PROCESS_RESTART_POLICY_H_
#define TROUPE_PROCESS_RESTART_POLICY_H_

#include <chrono>
#include <deque>
#include <optional>

#include "absl/status/status.h"
#include "process/exit_status.h"

namespace troupe {

enum class RestartWhen {
  kNever,
  kOnFailure,  // unless it exited with code 0; a lost status is a failure
  kAlways,
};

struct RestartPolicy {
  RestartWhen when = RestartWhen::kNever;

  // The wait before the first restart, and by what it grows with each further
  // one, up to the cap.
  std::chrono::nanoseconds initial_delay = std::chrono::milliseconds(100);
  double factor = 2;
  std::chrono::nanoseconds max_delay = std::chrono::seconds(30);

  // A run that lasted this long takes the wait back to the initial one.
  std::chrono::nanoseconds healthy_after = std::chrono::seconds(10);

  // One restart more than `max_restarts` within `window`: give up. Without
  // `max_restarts`: never.
  std::optional<int> max_restarts = 5;
  std::chrono::nanoseconds window = std::chrono::seconds(60);
};

// InvalidArgument: a negative time, a factor below 1, a negative limit.
absl::Status Validate(const RestartPolicy& policy);

// What a policy needs to remember; starts empty.
struct RestartHistory {
  int quick_ends = 0;  // restarts since the last healthy run
  // Those in the window.
  std::deque<std::chrono::steady_clock::time_point> restarts = {};
};

struct EndedRun {
  // Nothing: it could not even be started.
  std::optional<ExitStatus> status = std::nullopt;
  std::chrono::nanoseconds lasted = {};
};

enum class RestartAction {
  kStop,     // the policy does not want it again
  kRestart,  // after `delay`
  kGiveUp,   // it would, but it has had its chances
};

struct RestartDecision {
  RestartAction action = RestartAction::kStop;
  std::chrono::nanoseconds delay = {};
  RestartHistory history = {};  // for the next decision
};

RestartDecision DecideRestart(const RestartPolicy& policy,
                              RestartHistory history, const EndedRun& run,
                              std::chrono::steady_clock::time_point now);

}  // namespace troupe

#endif  // TROUPE_PROCESS_RESTART_POLICY_H_
