#include "io/sockets/socket_accept.h"

#include <sys/socket.h>

#include <cerrno>

#include "io/os_error.h"

namespace troupe {

absl::StatusOr<std::optional<AcceptedSocket>> AcceptConnection(int fd) {
  sockaddr_storage storage;
  auto* peer = reinterpret_cast<sockaddr*>(&storage);
  socklen_t size;
  int accepted;
  do {
    size = sizeof storage;
    accepted = accept4(fd, peer, &size, SOCK_NONBLOCK | SOCK_CLOEXEC);
  } while (accepted < 0 && (errno == EINTR || errno == ECONNABORTED));
  if (accepted >= 0) {
    return AcceptedSocket{OwnedFd(accepted), SocketAddress::From(peer, size)};
  }
  if (errno == EAGAIN || errno == EWOULDBLOCK) return std::nullopt;
  return OsError(errno, "accept");
}

bool IsOutOfResources(const absl::Status& status) {
  switch (OsFailureOf(status).value_or(OsFailure()).error_number) {
    case EMFILE:
    case ENFILE:
    case ENOBUFS:
    case ENOMEM:
      return true;
    default:
      return false;
  }
}

}  // namespace troupe
