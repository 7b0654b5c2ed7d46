// One child, and its group if it leads one, on the way down a stop plan.
//
//   ChildStop stop(lease, plan);
//   Do(stop.Begin(now, /*leader_ended=*/false));
//   ... at *stop.wake_at():     Do(stop.OnTime(now));
//   ... the leader has ended:   Do(stop.OnLeaderEnded());
//   ... the group was listed:   Do(stop.OnGroup(now, how_many));
//
// It sends the signals; whoever has a clock and can list a group drives it. A
// group is given the plan's time also after its leader has ended, until it is
// empty or the plan gives up; behind a last rung without limit it is waited for
// as long as it takes.
//
// Nothing is sent to a group whose leader is reaped, by whomever: its number
// may mean strangers then.
#ifndef TROUPE_PROCESS_CHILD_STOP_H_
#define TROUPE_PROCESS_CHILD_STOP_H_

#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>
#include <vector>

#include "process/child_lease.h"
#include "process/stop_plan.h"
#include "process/stop_walk.h"

namespace troupe {

class ChildStop {
 public:
  using TimePoint = StopWalk::TimePoint;

  enum class Next {
    kWait,       // until wake_at(), if it says so
    kListGroup,  // and say what is left with OnGroup
    kDone,       // leader and group have ended, or the plan is over
    kGaveUp,     // the plan is over and the leader still runs
  };

  ChildStop(std::shared_ptr<const ChildLease> child, StopPlan plan)
      : child_(std::move(child)), walk_(std::move(plan)) {}

  Next Begin(TimePoint now, bool leader_ended);
  Next OnTime(TimePoint now);
  Next OnLeaderEnded();

  // The living members without the leader; nothing: they cannot be listed.
  Next OnGroup(TimePoint now, std::optional<size_t> members);

  std::optional<TimePoint> wake_at() const { return wake_at_; }

 private:
  Next Look();
  void Send(const std::vector<int>& signals);

  std::shared_ptr<const ChildLease> child_;
  StopWalk walk_;
  bool leader_ended_ = false;
  std::optional<TimePoint> wake_at_;
  std::chrono::milliseconds group_check_{10};
};

// How long a plan leaves a process alive at most: the time until its SIGKILL.
// Nothing if that does not come.
std::optional<std::chrono::nanoseconds> TimeUntilKill(const StopPlan& plan);

}  // namespace troupe

#endif  // TROUPE_PROCESS_CHILD_STOP_H_
