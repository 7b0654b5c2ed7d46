#include "io/sockets/address_probe.h"

#include <sys/socket.h>

#include <cerrno>

#include "io/os_error.h"
#include "io/owned_fd.h"
#include "io/sockets/socket_type.h"

namespace troupe {

absl::StatusOr<bool> IsBound(const SocketAddress& address) {
  auto fd = OpenSocket(AF_UNIX, SocketType::kDatagram, address.ToString());
  if (!fd.ok()) return fd.status();
  if (connect(fd->get(), address.data(), address.size()) == 0) return true;
  switch (errno) {
    case EPROTOTYPE:  // a stream or sequenced-packet socket
    case EPERM:       // a datagram socket with a peer of its own
      return true;
    case ECONNREFUSED:
    case ENOENT:
      return false;
    default:
      return OsError(errno, "connect", address.ToString());
  }
}

}  // namespace troupe
