#include "actors/quiet_clock.h"

#include <utility>

#include "caf/abstract_actor.hpp"
#include "caf/group.hpp"
#include "caf/message.hpp"

namespace troupe {

// Before the timeout is set, so that the end of the actor finds it.
void QuietClock::Note(caf::abstract_actor* actor) {
  std::lock_guard<std::mutex> lock(mutex_);
  timed_.insert(actor->id());
}

void QuietClock::cancel_timeouts(caf::abstract_actor* actor) {
  {
    std::lock_guard<std::mutex> lock(mutex_);
    if (timed_.erase(actor->id()) == 0) return;
  }
  clock_.cancel_timeouts(actor);
}

void QuietClock::set_ordinary_timeout(time_point when,
                                      caf::abstract_actor* actor,
                                      caf::atom_value type, uint64_t id) {
  Note(actor);
  clock_.set_ordinary_timeout(when, actor, type, id);
}

void QuietClock::set_multi_timeout(time_point when, caf::abstract_actor* actor,
                                   caf::atom_value type, uint64_t id) {
  Note(actor);
  clock_.set_multi_timeout(when, actor, type, id);
}

void QuietClock::set_request_timeout(time_point when,
                                     caf::abstract_actor* actor,
                                     caf::message_id id) {
  Note(actor);
  clock_.set_request_timeout(when, actor, id);
}

// -- the other clock's --------------------------------------------------------

QuietClock::time_point QuietClock::now() const noexcept { return clock_.now(); }

QuietClock::duration_type QuietClock::difference(caf::atom_value measurement,
                                                 long units, time_point from,
                                                 time_point to) const noexcept {
  return clock_.difference(measurement, units, from, to);
}

void QuietClock::cancel_ordinary_timeout(caf::abstract_actor* actor,
                                         caf::atom_value type) {
  clock_.cancel_ordinary_timeout(actor, type);
}

void QuietClock::cancel_request_timeout(caf::abstract_actor* actor,
                                        caf::message_id id) {
  clock_.cancel_request_timeout(actor, id);
}

void QuietClock::schedule_message(time_point when,
                                  caf::strong_actor_ptr receiver,
                                  caf::mailbox_element_ptr content) {
  clock_.schedule_message(when, std::move(receiver), std::move(content));
}

void QuietClock::schedule_message(time_point when, caf::group target,
                                  caf::strong_actor_ptr sender,
                                  caf::message content) {
  clock_.schedule_message(when, std::move(target), std::move(sender),
                          std::move(content));
}

void QuietClock::cancel_all() { clock_.cancel_all(); }

}  // namespace troupe
