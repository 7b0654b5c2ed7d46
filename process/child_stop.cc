#include "process/child_stop.h"

#include <signal.h>

#include <algorithm>

namespace troupe {
namespace {

// A group is looked at with growing pauses up to this.
constexpr std::chrono::milliseconds kLastGroupCheck{500};

}  // namespace

ChildStop::Next ChildStop::Begin(TimePoint now, bool leader_ended) {
  leader_ended_ = leader_ended;
  Send(walk_.Start(now));
  return Look();
}

ChildStop::Next ChildStop::OnTime(TimePoint now) {
  Send(walk_.Advance(now));
  return Look();
}

ChildStop::Next ChildStop::OnLeaderEnded() {
  leader_ended_ = true;
  return Look();
}

ChildStop::Next ChildStop::Look() {
  wake_at_ = walk_.deadline();
  if (!leader_ended_) return walk_.gave_up() ? Next::kGaveUp : Next::kWait;
  if (!child_->own_group() || walk_.gave_up()) return Next::kDone;
  return Next::kListGroup;
}

ChildStop::Next ChildStop::OnGroup(TimePoint now,
                                   std::optional<size_t> members) {
  wake_at_ = walk_.deadline();
  if (members == size_t{0}) return Next::kDone;
  if (!members.has_value()) return wake_at_ ? Next::kWait : Next::kDone;
  const TimePoint check = now + group_check_;
  wake_at_ = std::min(wake_at_.value_or(check), check);
  group_check_ = std::min(group_check_ * 2, kLastGroupCheck);
  return Next::kWait;
}

// A process that is gone needs no signal, and one that may not be signalled
// (set-user-id, row V10) has to end by itself.
void ChildStop::Send(const std::vector<int>& signals) {
  for (int signal : signals) {
    (void)(child_->own_group() ? child_->SignalGroup(signal)
                               : child_->Signal(signal));
  }
}

std::optional<std::chrono::nanoseconds> TimeUntilKill(const StopPlan& plan) {
  std::chrono::nanoseconds time{0};
  for (const StopRung& rung : plan.rungs) {
    if (rung.signal == SIGKILL) return time;
    if (!rung.wait.has_value()) break;
    time += *rung.wait;
  }
  return std::nullopt;
}

}  // namespace troupe
