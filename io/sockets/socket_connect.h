// A connect that never blocks, in steps, for whoever has an event loop.
//
//   auto attempt = StartConnect(address);
//   switch (attempt->state) {
//     case ConnectState::kConnected:  Use(std::move(attempt->fd));
//     case ConnectState::kInProgress: // when writable: FinishConnect
//     case ConnectState::kTryAgain:   // after backoff.Next(): ContinueConnect
//   }
//
// A UNIX socket is connected at once or not at all: when the server's backlog
// is full the kernel says EAGAIN and announces nothing later, so one has to ask
// again (rows U24, V53, A21); backoff.h has the pauses. Only other families are
// ever in progress.
//
// A refusal is an OsFailure with the address: `connect "/run/app.sock":
// Connection refused` for a file that nobody listens at, socket or not (row
// U22). What StartConnect has opened is closed by then; a given descriptor
// stays its owner's. A connect is called off by closing the descriptor.
#ifndef TROUPE_IO_SOCKETS_SOCKET_CONNECT_H_
#define TROUPE_IO_SOCKETS_SOCKET_CONNECT_H_

#include "absl/status/statusor.h"
#include "io/owned_fd.h"
#include "io/sockets/socket_address.h"
#include "io/sockets/socket_type.h"

namespace troupe {

enum class ConnectState { kConnected, kInProgress, kTryAgain };

struct ConnectAttempt {
  ConnectState state;
  OwnedFd fd;  // non-blocking, close-on-exec
};

absl::StatusOr<ConnectAttempt> StartConnect(
    const SocketAddress& address, SocketType type = SocketType::kStream);

// The first try with a given descriptor, which must be non-blocking, and each
// further one after kTryAgain.
absl::StatusOr<ConnectState> ContinueConnect(int fd,
                                             const SocketAddress& address);

// What became of kInProgress. Never takes an unconnected socket for a connected
// one: no error is not yet a peer.
absl::StatusOr<ConnectState> FinishConnect(int fd,
                                           const SocketAddress& address);

// A given UNIX socket that is connected already (row U23): checked and prepared
// as in socket_type.h; ENOTCONN without a peer. Closed when refused.
absl::StatusOr<OwnedFd> AdoptConnected(OwnedFd fd,
                                       SocketType type = SocketType::kStream);

}  // namespace troupe

#endif  // TROUPE_IO_SOCKETS_SOCKET_CONNECT_H_
