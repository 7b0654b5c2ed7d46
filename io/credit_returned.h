// What a transport that stopped for credit is told when it may read on: sent by
// its account, from any thread.
#ifndef TROUPE_IO_CREDIT_RETURNED_H_
#define TROUPE_IO_CREDIT_RETURNED_H_

#include <functional>
#include <utility>

#include "caf/actor_control_block.hpp"
#include "caf/allowed_unsafe_message_type.hpp"
#include "io/tell.h"

namespace troupe {

struct CreditReturned {};

}  // namespace troupe

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::CreditReturned)

namespace troupe {

// Does not keep the transport alive.
inline std::function<void()> TellsOfCredit(caf::weak_actor_ptr transport) {
  return
      [transport = std::move(transport)] { Tell(transport, CreditReturned{}); };
}

}  // namespace troupe

#endif  // TROUPE_IO_CREDIT_RETURNED_H_
