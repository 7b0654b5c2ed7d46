#include "io/sockets/socket_connect.h"

#include <poll.h>
#include <sys/socket.h>

#include <cerrno>
#include <utility>

#include "io/os_error.h"

namespace troupe {
namespace {

// 0 with a peer, else errno.
int PeerError(int fd) {
  sockaddr_storage storage;
  socklen_t size = sizeof storage;
  auto* peer = reinterpret_cast<sockaddr*>(&storage);
  return getpeername(fd, peer, &size) == 0 ? 0 : errno;
}

bool IsSettled(int fd) {
  pollfd set = {fd, POLLOUT, 0};
  return poll(&set, 1, 0) != 0;
}

}  // namespace

absl::StatusOr<ConnectAttempt> StartConnect(const SocketAddress& address,
                                            SocketType type) {
  auto fd = OpenSocket(address.data()->sa_family, type, address.ToString());
  if (!fd.ok()) return fd.status();
  auto state = ContinueConnect(fd->get(), address);
  if (!state.ok()) return state.status();
  return ConnectAttempt{*state, *std::move(fd)};
}

absl::StatusOr<ConnectState> ContinueConnect(int fd,
                                             const SocketAddress& address) {
  int result;
  do {
    result = connect(fd, address.data(), address.size());
  } while (result != 0 && errno == EINTR);
  if (result == 0) return ConnectState::kConnected;
  switch (errno) {
    case EINPROGRESS:
    case EALREADY:
      return ConnectState::kInProgress;
    case EAGAIN:
      return ConnectState::kTryAgain;
    default:
      return OsError(errno, "connect", address.ToString());
  }
}

absl::StatusOr<ConnectState> FinishConnect(int fd,
                                           const SocketAddress& address) {
  int error = 0;
  socklen_t size = sizeof error;
  if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) != 0) error = errno;
  if (error == 0) error = PeerError(fd);
  if (error == 0) return ConnectState::kConnected;
  if (error == ENOTCONN) {
    if (address.data()->sa_family == AF_UNIX) return ConnectState::kTryAgain;
    if (!IsSettled(fd)) return ConnectState::kInProgress;
  }
  return OsError(error, "connect", address.ToString());
}

absl::StatusOr<OwnedFd> AdoptConnected(OwnedFd fd, SocketType type) {
  absl::Status usable = PrepareUnixSocket(fd.get(), type);
  if (!usable.ok()) return usable;
  const int error = PeerError(fd.get());
  if (error != 0) return OsError(error, "getpeername");
  return fd;
}

}  // namespace troupe
