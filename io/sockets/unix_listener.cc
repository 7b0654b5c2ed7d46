#include "io/sockets/unix_listener.h"

#include <sys/socket.h>

#include <cerrno>
#include <utility>

#include "io/os_error.h"

namespace troupe {
namespace {

bool IsListening(int fd) {
  int listens = 0;
  socklen_t size = sizeof listens;
  return getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &size) == 0 &&
         listens != 0;
}

}  // namespace

absl::StatusOr<UnixListener> UnixListener::Bind(const ListenOptions& options) {
  if (options.type == SocketType::kDatagram) {
    return absl::InvalidArgumentError("a datagram socket does not listen");
  }
  auto socket = BindSocket({.path = options.path,
                            .type = options.type,
                            .mode = options.mode,
                            .uid = options.uid,
                            .gid = options.gid,
                            .unlink = options.unlink});
  if (!socket.ok()) return socket.status();
  UnixListener listener;
  listener.fd_ = std::move(socket->fd);
  listener.address_ = socket->address;
  listener.file_ = std::move(socket->file);
  listener.backlog_ = options.backlog;
  return listener;
}

absl::StatusOr<UnixListener> UnixListener::Adopt(OwnedFd fd, SocketType type,
                                                 int backlog) {
  absl::Status usable = PrepareUnixSocket(fd.get(), type);
  if (!usable.ok()) return usable;
  sockaddr_storage storage;
  auto* name = reinterpret_cast<sockaddr*>(&storage);
  socklen_t size = sizeof storage;
  if (getsockname(fd.get(), name, &size) != 0) {
    return OsError(errno, "getsockname");
  }
  UnixListener listener;
  listener.listening_ = IsListening(fd.get());
  listener.fd_ = std::move(fd);
  listener.address_ = SocketAddress::From(name, size);
  listener.backlog_ = backlog;
  return listener;
}

absl::Status UnixListener::Listen() {
  if (listening_) return absl::OkStatus();
  if (listen(fd_.get(), backlog_) != 0) {
    return OsError(errno, "listen", address_.ToString());
  }
  listening_ = true;
  return absl::OkStatus();
}

absl::Status UnixListener::Close() {
  absl::Status removed = file_.Remove();
  fd_.Close();
  listening_ = false;
  return removed;
}

}  // namespace troupe
