// One walk down a stop plan, driven by whoever has a clock.
//
//   StopWalk walk(plan);
//   Send(walk.Start(now));                   // {SIGTERM, SIGCONT}
//   ... at *walk.deadline():
//   Send(walk.Advance(now));                 // {SIGKILL, SIGCONT}
//   ... when the process has ended, forget the walk.
//
// Each rung is its signal and then SIGCONT: a stopped process keeps SIGTERM
// pending until it is continued (core rule 6). A late call moves one rung only,
// and the next wait counts from `now`: a loop that was held up does not cost
// the process its time. No clock, no process: it only says what to do.
#ifndef TROUPE_PROCESS_STOP_WALK_H_
#define TROUPE_PROCESS_STOP_WALK_H_

#include <chrono>
#include <cstddef>
#include <optional>
#include <vector>

#include "process/stop_plan.h"

namespace troupe {

class StopWalk {
 public:
  using TimePoint = std::chrono::steady_clock::time_point;

  explicit StopWalk(StopPlan plan);

  // The signals of the first rung, in the order to send them. Nothing if the
  // walk has begun.
  std::vector<int> Start(TimePoint now);

  // The signals of the next rung if its time has come, else nothing.
  std::vector<int> Advance(TimePoint now);

  // The next rung at once (a second Ctrl-C). Begins the walk if need be; at the
  // last rung, that rung again.
  std::vector<int> Hurry(TimePoint now);

  // When to call Advance; nothing before the start and when no more will
  // happen.
  std::optional<TimePoint> deadline() const { return deadline_; }

  bool started() const { return next_ > 0; }

  // The last rung's wait is over and the plan has no answer left.
  bool gave_up() const { return gave_up_; }

 private:
  std::vector<int> TakeRung(size_t index, TimePoint now);

  StopPlan plan_;
  size_t next_ = 0;  // rungs sent so far
  std::optional<TimePoint> deadline_;
  bool gave_up_ = false;
};

}  // namespace troupe

#endif  // TROUPE_PROCESS_STOP_WALK_H_
