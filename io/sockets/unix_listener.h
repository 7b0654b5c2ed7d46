// A listening UNIX socket: bound by us, or given.
//
//   auto listener = UnixListener::Bind({.path = "/run/app.sock",
//                                       .mode = 0660, .gid = app_group});
//   absl::Status serving = listener->Listen();  // refuses connections until
//   then
//   ... AcceptConnection(listener->fd()) ...
//
// What is in the way of a new one, and when it is replaced: unix_bind.h. The
// file is removed when the listener is closed, if it is still the one that it
// bound (socket_file.h, rows U18, V47); the file of a given socket never is
// (V48). A value that is moved; one thread at a time.
#ifndef TROUPE_IO_SOCKETS_UNIX_LISTENER_H_
#define TROUPE_IO_SOCKETS_UNIX_LISTENER_H_

#include <sys/types.h>

#include <optional>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "io/owned_fd.h"
#include "io/sockets/bound_socket.h"
#include "io/sockets/socket_address.h"
#include "io/sockets/socket_file.h"
#include "io/sockets/socket_type.h"

namespace troupe {

struct ListenOptions {
  // A leading NUL makes it abstract: no file, hence no mode and no owner.
  std::string path = {};
  SocketType type = SocketType::kStream;
  int backlog = 100;  // listen(2)

  // Of the file; without, what the umask leaves of 0777 (row U10). They hold
  // before anybody can connect: nothing listens until the file has them all,
  // and it is never open to more than `mode` says, not for a moment (row A19).
  std::optional<mode_t> mode = std::nullopt;
  std::optional<uid_t> uid = std::nullopt;
  std::optional<gid_t> gid = std::nullopt;

  UnlinkPolicy unlink = UnlinkPolicy::kUnlinkOwnInode;
};

class UnixListener {
 public:
  UnixListener() = default;  // closed

  // Bound and not listening (row U12): clients are refused. An error leaves
  // nothing behind. INVALID_ARGUMENT for an empty path (row U8) and what else
  // the options cannot mean; otherwise as BindUnixSocket.
  static absl::StatusOr<UnixListener> Bind(const ListenOptions& options);

  // A socket that somebody else has bound (row U1: its type is checked, with
  // asyncio's text), made non-blocking and close-on-exec. One that listens
  // already, as those of socket activation do, keeps its own backlog. Closed
  // when refused.
  static absl::StatusOr<UnixListener> Adopt(
      OwnedFd fd, SocketType type = SocketType::kStream, int backlog = 100);

  UnixListener(UnixListener&&) = default;
  UnixListener& operator=(UnixListener&&) = default;
  ~UnixListener() { Close().IgnoreError(); }

  // Harmless when it listens already.
  absl::Status Listen();

  bool listening() const { return listening_; }
  int fd() const { return fd_.get(); }  // -1 when closed or taken
  const SocketAddress& address() const { return address_; }
  int backlog() const { return backlog_; }

  // Gives the descriptor to who watches it. The file stays the listener's:
  // close the listener before the descriptor.
  OwnedFd TakeFd() { return std::move(fd_); }

  // The file first, then the descriptor. An error is that of removing the file,
  // the descriptor is closed all the same. Closing again does nothing.
  absl::Status Close();

 private:
  // In this order: an assignment lets go of the file first.
  SocketFile file_;
  OwnedFd fd_;
  SocketAddress address_;
  int backlog_ = 0;
  bool listening_ = false;
};

}  // namespace troupe

#endif  // TROUPE_IO_SOCKETS_UNIX_LISTENER_H_
