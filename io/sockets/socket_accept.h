// One accept(2) of a non-blocking listening socket.
//
//   auto accepted = AcceptConnection(listener);
//   if (!accepted.ok()) ...              // as OsFailure; see IsOutOfResources
//   if (!accepted->has_value()) ...      // nobody waits
//
// A connection that was given up before we saw it (ECONNABORTED) is passed over
// (V41).
#ifndef TROUPE_IO_SOCKETS_SOCKET_ACCEPT_H_
#define TROUPE_IO_SOCKETS_SOCKET_ACCEPT_H_

#include <optional>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "io/owned_fd.h"
#include "io/sockets/socket_address.h"

namespace troupe {

struct AcceptedSocket {
  OwnedFd fd;  // non-blocking, close-on-exec
  SocketAddress peer;
};

absl::StatusOr<std::optional<AcceptedSocket>> AcceptConnection(int fd);

// Whether descriptors or memory ran out (EMFILE, ENFILE, ENOBUFS, ENOMEM). The
// connection still waits, so the listener stays ready: pause, or the next
// accept fails at once (row A27).
bool IsOutOfResources(const absl::Status& status);

}  // namespace troupe

#endif  // TROUPE_IO_SOCKETS_SOCKET_ACCEPT_H_
