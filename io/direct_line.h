// Hands messages to one actor, again and again. If it is a resident of `host`
// and at rest the handler runs at once, with no mailbox and no allocation; else
// they are sent. For the host's thread.
#ifndef TROUPE_IO_DIRECT_LINE_H_
#define TROUPE_IO_DIRECT_LINE_H_

#include <utility>

#include "caf/actor_control_block.hpp"
#include "caf/make_message.hpp"
#include "io/host.h"
#include "io/resident_base.h"

namespace troupe {

class DirectLine {
 public:
  DirectLine(caf::strong_actor_ptr receiver, Host& host);

  template <class T>
  void Send(T message) {
    if (resident_ != nullptr && resident_->ActivateNow(nullptr, message)) {
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
