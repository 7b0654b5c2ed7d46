// Hands messages to one actor, again and again, from nobody and in their order.
//
//   DirectLine line(stream, self->host());
//   line.Send(Write{...});  // like caf::anon_send(stream, Write{...})
//
// If it is a resident of `host` and at rest the handler runs at once. If it is
// at rest but has called the sender, a message it has a direct handler for
// waits in the host's line until it returns. Neither takes a mailbox nor an
// allocation; else they are sent. For the host's thread.
#ifndef TROUPE_IO_DIRECT_LINE_H_
#define TROUPE_IO_DIRECT_LINE_H_

#include <utility>

#include "caf/actor_cast.hpp"
#include "caf/actor_control_block.hpp"
#include "caf/make_message.hpp"
#include "caf/typed_actor.hpp"
#include "io/host.h"
#include "io/resident_base.h"

namespace troupe {

class DirectLine {
 public:
  DirectLine(caf::strong_actor_ptr receiver, Host& host);
  template <class... Fs>
  DirectLine(const caf::typed_actor<Fs...>& receiver, Host& host)
      : DirectLine(caf::actor_cast<caf::strong_actor_ptr>(receiver), host) {}

  template <class T>
  void Send(T message) {
    if (resident_ != nullptr && (resident_->ActivateNow(nullptr, message) ||
                                 resident_->ActivateSoon(receiver_, message))) {
      return;
    }
    receiver_->enqueue(nullptr, caf::make_message_id(),
                       caf::make_message(std::move(message)), nullptr);
  }

  void Prefetch() const {
    if (resident_ != nullptr) resident_->Prefetch();
  }

  const caf::strong_actor_ptr& receiver() const { return receiver_; }

 private:
  caf::strong_actor_ptr receiver_;
  ResidentBase* resident_ = nullptr;  // null: not of this host
};

}  // namespace troupe

#endif  // TROUPE_IO_DIRECT_LINE_H_
