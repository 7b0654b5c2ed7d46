// The protocol of a splice (splice.h).
//
//   Splice        anyone -> splicer   move all of one stream into another;
//                                     answered when it is over; once is enough
//   CancelSplice  anyone -> splicer   the Splice is answered with kCancelled
//
// The messages carry descriptors of this process; none of them leaves it.
#ifndef TROUPE_IO_SOCKETS_SPLICE_MESSAGES_H_
#define TROUPE_IO_SOCKETS_SPLICE_MESSAGES_H_

#include <cstdint>
#include <optional>

#include "caf/allowed_unsafe_message_type.hpp"
#include "caf/replies_to.hpp"
#include "caf/typed_actor.hpp"
#include "io/fd_ticket.h"

namespace troupe {

// Pipes and stream sockets, which are owned from now on and closed at the end:
// whoever goes on using one passes a copy (dup), as for the other direction.
struct Splice {
  FdTicket from;
  FdTicket to;
  std::optional<uint64_t> count =
      std::nullopt;  // nothing: to the end of `from`
};
struct Spliced {
  uint64_t bytes = 0;
};
struct CancelSplice {};
using Splicer = caf::typed_actor<caf::replies_to<Splice>::with<Spliced>,
                                 caf::reacts_to<CancelSplice>>;

}  // namespace troupe

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::Splice)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::Spliced)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::CancelSplice)

#endif  // TROUPE_IO_SOCKETS_SPLICE_MESSAGES_H_
