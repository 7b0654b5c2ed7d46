#include "process/restart_policy.h"

#include <utility>

namespace troupe {
namespace {

bool Wanted(RestartWhen when, const EndedRun& run) {
  bool success = run.status.has_value() && run.status->success();
  return when == RestartWhen::kAlways ||
         (when == RestartWhen::kOnFailure && !success);
}

// Grows step by step, not by std::pow, so that it stops at the cap and can
// never overflow.
std::chrono::nanoseconds Delay(const RestartPolicy& policy, int quick_ends) {
  std::chrono::duration<double, std::nano> delay = policy.initial_delay;
  for (int i = 0; i < quick_ends && delay < policy.max_delay; ++i) {
    delay *= policy.factor;
    if (policy.factor == 1 || delay.count() == 0) break;
  }
  if (delay >= policy.max_delay) return policy.max_delay;
  return std::chrono::duration_cast<std::chrono::nanoseconds>(delay);
}

}  // namespace

absl::Status Validate(const RestartPolicy& policy) {
  for (auto time : {policy.initial_delay, policy.max_delay,
                    policy.healthy_after, policy.window}) {
    if (time.count() < 0) {
      return absl::InvalidArgumentError("restart policy: negative time");
    }
  }
  // Written so that it refuses what is not a number, too.
  if (!(policy.factor >= 1)) {
    return absl::InvalidArgumentError("restart policy: factor below 1");
  }
  if (policy.max_restarts.value_or(0) < 0) {
    return absl::InvalidArgumentError("restart policy: negative limit");
  }
  return absl::OkStatus();
}

RestartDecision DecideRestart(const RestartPolicy& policy,
                              RestartHistory history, const EndedRun& run,
                              std::chrono::steady_clock::time_point now) {
  RestartDecision decision;
  if (run.lasted >= policy.healthy_after) history.quick_ends = 0;
  while (!history.restarts.empty() &&
         now - history.restarts.front() >= policy.window) {
    history.restarts.pop_front();
  }
  if (Wanted(policy.when, run)) {
    int so_far = static_cast<int>(history.restarts.size());
    if (policy.max_restarts.has_value() && so_far >= *policy.max_restarts) {
      decision.action = RestartAction::kGiveUp;
    } else {
      decision.action = RestartAction::kRestart;
      decision.delay = Delay(policy, history.quick_ends++);
      // Without a limit nobody would ever look at the list.
      if (policy.max_restarts.has_value()) history.restarts.push_back(now);
    }
  }
  decision.history = std::move(history);
  return decision;
}

}  // namespace troupe
