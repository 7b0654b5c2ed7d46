// New sockets by type, and whether a given socket is a UNIX socket of a type.
//
//   auto fd = OpenSocket(AF_UNIX, SocketType::kStream);
//   absl::Status usable = PrepareUnixSocket(given, SocketType::kStream);
//   // INVALID_ARGUMENT: A UNIX Domain Stream Socket was expected, got
//   // <fd 5, AF_INET, SOCK_STREAM>
//
// Any thread.
#ifndef TROUPE_IO_SOCKETS_SOCKET_TYPE_H_
#define TROUPE_IO_SOCKETS_SOCKET_TYPE_H_

#include <sys/socket.h>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "io/owned_fd.h"

namespace troupe {

enum class SocketType {
  kStream = SOCK_STREAM,
  kSeqpacket = SOCK_SEQPACKET,  // connections of messages
  kDatagram = SOCK_DGRAM,
};

// Non-blocking, close-on-exec. `what_for` is told in the error.
absl::StatusOr<OwnedFd> OpenSocket(int family, SocketType type,
                                   absl::string_view what_for = "");

// asyncio's check of `sock=` (rows U1, U21), with its text. What a number that
// is not open is refused with is EBADF, as an OsFailure.
absl::Status CheckUnixSocket(int fd, SocketType type);

// The same; then makes the socket what OpenSocket gives (row U23). O_NONBLOCK
// is of all copies of a descriptor, those of other processes included.
absl::Status PrepareUnixSocket(int fd, SocketType type);

}  // namespace troupe

#endif  // TROUPE_IO_SOCKETS_SOCKET_TYPE_H_
