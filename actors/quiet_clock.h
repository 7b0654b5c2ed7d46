// CAF's clock, which is not woken for an actor that ends and never had a
// timeout there.
//
//   QuietClock clock(coordinator.clock());   // borrowed
//
// CAF tells its clock of the end of every actor, and that wakes the clock's
// thread: two switches for each stream and each child of ours, whose timers
// are the I/O host's; and when 64 such words wait, the next actor that ends
// waits for the clock. All else is the other clock's. Any thread.
#ifndef TROUPE_ACTORS_QUIET_CLOCK_H_
#define TROUPE_ACTORS_QUIET_CLOCK_H_

#include <cstdint>
#include <mutex>
#include <unordered_set>

#include "caf/actor_control_block.hpp"
#include "caf/atom.hpp"
#include "caf/detail/thread_safe_actor_clock.hpp"
#include "caf/mailbox_element.hpp"
#include "caf/message_id.hpp"

namespace troupe {

// The base is what a coordinator's clock must be; nothing of it is used.
class QuietClock : public caf::detail::thread_safe_actor_clock {
 public:
  explicit QuietClock(caf::actor_clock& clock) : clock_(clock) {}

  time_point now() const noexcept override;
  duration_type difference(caf::atom_value measurement, long units,
                           time_point from,
                           time_point to) const noexcept override;

  void set_ordinary_timeout(time_point when, caf::abstract_actor* actor,
                            caf::atom_value type, uint64_t id) override;
  void set_multi_timeout(time_point when, caf::abstract_actor* actor,
                         caf::atom_value type, uint64_t id) override;
  void set_request_timeout(time_point when, caf::abstract_actor* actor,
                           caf::message_id id) override;
  void cancel_ordinary_timeout(caf::abstract_actor* actor,
                               caf::atom_value type) override;
  void cancel_request_timeout(caf::abstract_actor* actor,
                              caf::message_id id) override;
  void cancel_timeouts(caf::abstract_actor* actor) override;

  void schedule_message(time_point when, caf::strong_actor_ptr receiver,
                        caf::mailbox_element_ptr content) override;
  void schedule_message(time_point when, caf::group target,
                        caf::strong_actor_ptr sender,
                        caf::message content) override;
  void cancel_all() override;

 private:
  void Note(caf::abstract_actor* actor);

  caf::actor_clock& clock_;
  std::mutex mutex_;
  // Those that had a timeout and have not ended, by number.
  std::unordered_set<uint64_t> timed_;
};

}  // namespace troupe

#endif  // TROUPE_ACTORS_QUIET_CLOCK_H_
