// Messages that are sent by hand, where CAF's send does not serve.
//
//   Tell(weak, ChildReaped{pid});               // by nobody, on any thread
//   TellFrom(self, receiver, EndWatch{}, host); // on the thread of `host`
#ifndef TROUPE_IO_TELL_H_
#define TROUPE_IO_TELL_H_

#include <utility>

#include "caf/abstract_actor.hpp"
#include "caf/actor_control_block.hpp"
#include "caf/execution_unit.hpp"
#include "caf/mailbox_element.hpp"
#include "caf/make_message.hpp"
#include "caf/message_id.hpp"

namespace troupe {

// To an actor that may be gone: then the message is dropped, here.
template <class T>
void Tell(const caf::weak_actor_ptr& to, T message) {
  caf::strong_actor_ptr alive = to.lock();
  if (alive == nullptr) return;
  alive->enqueue(nullptr, caf::make_message_id(),
                 caf::make_message(std::move(message)), nullptr);
}

// From a resident of `host`, also from its state's destructor, where it has no
// execution unit of its own. One allocation.
template <class Self, class T>
void TellFrom(Self* self, caf::abstract_actor* to, T message,
              caf::execution_unit* host) {
  to->enqueue(
      caf::make_mailbox_element(caf::strong_actor_ptr(self->ctrl()),
                                caf::make_message_id(), {}, std::move(message)),
      host);
}

}  // namespace troupe

#endif  // TROUPE_IO_TELL_H_
