// The whole protocol of socket operations, for actors: sock_operations.h as
// messages.
//
//   SockRecv     anyone -> socks   answered by SockReceived; no bytes: the end
//   SockSendAll  anyone -> socks   answered by SockSent
//   SockConnect  anyone -> socks   answered by SockConnected
//   SockAccept   anyone -> socks   answered by SockAccepted
//   CancelSock   anyone -> socks   what waits for a descriptor is answered with
//                                  kCancelled; before it is closed
//
// A future is a request here. What an actor that has ended asked for is
// cancelled, so it takes no bytes from the next one.
#ifndef TROUPE_ACTORS_SOCK_MESSAGES_H_
#define TROUPE_ACTORS_SOCK_MESSAGES_H_

#include <cstddef>

#include "caf/allowed_unsafe_message_type.hpp"
#include "caf/replies_to.hpp"
#include "caf/typed_actor.hpp"
#include "io/bytes.h"
#include "io/fd_ticket.h"
#include "io/sockets/socket_address.h"

namespace troupe {

struct SockRecv {
  int fd = -1;
  size_t max = 64 * 1024;
};
struct SockReceived {
  Bytes bytes;
};
struct SockSendAll {
  int fd = -1;
  Bytes bytes;
};
struct SockSent {};
struct SockConnect {
  int fd = -1;
  SocketAddress address;
};
struct SockConnected {};
struct SockAccept {
  int fd = -1;
};
struct SockAccepted {
  FdTicket connection;  // non-blocking, close-on-exec
  SocketAddress peer;
};
struct CancelSock {
  int fd = -1;
};

using SockActor =
    caf::typed_actor<caf::replies_to<SockRecv>::with<SockReceived>,
                     caf::replies_to<SockSendAll>::with<SockSent>,
                     caf::replies_to<SockConnect>::with<SockConnected>,
                     caf::replies_to<SockAccept>::with<SockAccepted>,
                     caf::reacts_to<CancelSock>>;

}  // namespace troupe

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::SockRecv)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::SockReceived)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::SockSendAll)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::SockSent)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::SockConnect)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::SockConnected)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::SockAccept)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::SockAccepted)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::CancelSock)

#endif  // TROUPE_ACTORS_SOCK_MESSAGES_H_
