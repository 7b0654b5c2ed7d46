// What all transports do when others end: their protocol or owner, whom they
// watch, and whoever sends them an exit. A normal exit is no reason.
#ifndef TROUPE_IO_HEAR_OF_ENDS_H_
#define TROUPE_IO_HEAR_OF_ENDS_H_

#include "caf/system_messages.hpp"
#include "io/status_error.h"

namespace troupe {

// `state` is that of the actor `self`; it has OnDown and End.
template <class Self, class State>
void HearOfEnds(Self* self, State* state) {
  self->set_down_handler(
      [=](const caf::down_msg& down) { state->OnDown(down); });
  self->set_exit_handler([=](const caf::exit_msg& exit) {
    if (exit.reason) state->End(StatusOf(exit.reason), exit.reason);
  });
}

}  // namespace troupe

#endif  // TROUPE_IO_HEAR_OF_ENDS_H_
