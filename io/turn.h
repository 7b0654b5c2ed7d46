// What a host's thread does in each iteration beside dispatching events and
// running actors: the event loop's callbacks. One per host.
//
// In an iteration the host calls Ready until it may sleep, sleeps, calls Begin,
// gives events to their sinks, and calls Run.
#ifndef TROUPE_IO_TURN_H_
#define TROUPE_IO_TURN_H_

#include <cstdint>

namespace troupe {

class Turn {
 public:
  virtual ~Turn() = default;

  // Whether there is something to run, so that the host must not sleep. Takes
  // in what other threads have queued, and is asked once more after the host
  // counts as asleep.
  virtual bool Ready() = 0;

  // When Run has something to do at the latest; TimerHeap's kNever for never.
  virtual int64_t next_deadline_ns() const = 0;

  // Before the events of this iteration are dispatched. `straight_on`: there
  // are none, and since Run returned the thread has not slept and run nobody.
  virtual void Begin(bool straight_on) = 0;

  // After them.
  virtual void Run() = 0;
};

}  // namespace troupe

#endif  // TROUPE_IO_TURN_H_
