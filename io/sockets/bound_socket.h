// A UNIX socket that is bound to a path, with its rights, and removes its file.
//
//   auto socket = BindSocket({.path = "/run/app.sock", .mode = 0660});
//   if (!socket.ok()) return socket.status();
//
// What is in the way of a new one, and when it is replaced: unix_bind.h. The
// file is removed with the value, if it is still the one that was bound
// (socket_file.h), and before the socket is closed. A value that is moved; one
// thread at a time.
#ifndef TROUPE_IO_SOCKETS_BOUND_SOCKET_H_
#define TROUPE_IO_SOCKETS_BOUND_SOCKET_H_

#include <sys/types.h>

#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "io/owned_fd.h"
#include "io/sockets/socket_address.h"
#include "io/sockets/socket_file.h"
#include "io/sockets/socket_type.h"

namespace troupe {

enum class UnlinkPolicy { kUnlinkOwnInode, kKeep };

struct BindOptions {
  // A leading NUL makes it abstract: no file, hence no mode and no owner.
  std::string path = {};
  SocketType type = SocketType::kStream;

  // Of the file; without, what the umask leaves of 0777 (row U10). It is never
  // open to more than `mode` says, not for a moment (row A19).
  std::optional<mode_t> mode = std::nullopt;
  std::optional<uid_t> uid = std::nullopt;
  std::optional<gid_t> gid = std::nullopt;

  UnlinkPolicy unlink = UnlinkPolicy::kUnlinkOwnInode;
};

struct BoundSocket {
  OwnedFd fd;  // non-blocking, close-on-exec
  SocketAddress address;
  SocketFile file;  // behind `fd`, so that it goes first
};

// An error leaves nothing behind. INVALID_ARGUMENT for an empty path (row U8)
// and what else the options cannot mean; otherwise as BindUnixSocket.
absl::StatusOr<BoundSocket> BindSocket(const BindOptions& options);

// To an abstract name that the kernel chooses (autobind, unix(7)): for whoever
// wants to be answered, wherever it is.
absl::StatusOr<BoundSocket> BindSocketAnywhere(SocketType type);

}  // namespace troupe

#endif  // TROUPE_IO_SOCKETS_BOUND_SOCKET_H_
