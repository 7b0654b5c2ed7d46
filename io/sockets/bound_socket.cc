#include "io/sockets/bound_socket.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "absl/strings/str_format.h"
#include "io/os_error.h"
#include "io/sockets/unix_bind.h"

namespace troupe {
namespace {

constexpr mode_t kAllRights = 0777;

absl::Status Check(const BindOptions& options) {
  if (options.path.empty()) return absl::InvalidArgumentError("empty path");
  if (options.mode.value_or(0) & ~kAllRights) {
    return absl::InvalidArgumentError(
        absl::StrFormat("not the mode of a socket: %04o", *options.mode));
  }
  if (options.path[0] == '\0') {
    if (!options.mode && !options.uid && !options.gid) return absl::OkStatus();
    return absl::InvalidArgumentError(
        "an abstract socket has neither mode nor owner");
  }
  // The kernel would stop at it, and bind another path.
  if (options.path.find('\0') != std::string::npos) {
    return absl::InvalidArgumentError("embedded null byte in the path");
  }
  return absl::OkStatus();
}

// The kernel gives the file of a socket the mode of the socket, without the
// umask's bits: that is where it gets too few.
absl::Status GiveMode(const std::string& path, mode_t mode) {
  struct stat file;
  if (lstat(path.c_str(), &file) == 0 && (file.st_mode & kAllRights) == mode) {
    return absl::OkStatus();
  }
  if (fchmodat(AT_FDCWD, path.c_str(), mode, AT_SYMLINK_NOFOLLOW) == 0) {
    return absl::OkStatus();
  }
  return OsError(errno, "chmod", path);
}

absl::Status GiveRights(const BindOptions& options) {
  if (options.mode) {
    // First, while it is ours for certain: a new owner may be a stranger.
    absl::Status given = GiveMode(options.path, *options.mode);
    if (!given.ok()) return given;
  }
  if (!options.uid && !options.gid) return absl::OkStatus();
  const uid_t uid = options.uid.value_or(static_cast<uid_t>(-1));
  const gid_t gid = options.gid.value_or(static_cast<gid_t>(-1));
  if (lchown(options.path.c_str(), uid, gid) == 0) return absl::OkStatus();
  return OsError(errno, "chown", options.path);
}

}  // namespace

absl::StatusOr<BoundSocket> BindSocket(const BindOptions& options) {
  absl::Status status = Check(options);
  if (!status.ok()) return status;
  auto address = SocketAddress::Unix(options.path);
  if (!address.ok()) return address.status();
  auto fd = OpenSocket(AF_UNIX, options.type, address->ToString());
  if (!fd.ok()) return fd.status();
  if (options.mode && fchmod(fd->get(), *options.mode) != 0) {
    return OsError(errno, "chmod", options.path);
  }
  status = BindUnixSocket(fd->get(), *address);
  if (!status.ok()) return status;
  BoundSocket socket{*std::move(fd), *address, SocketFile()};
  if (options.path[0] == '\0') return socket;
  auto file = SocketFile::At(options.path);
  if (!file.ok()) return file.status();
  socket.file = *std::move(file);
  status = GiveRights(options);
  if (!status.ok()) return status;
  if (options.unlink == UnlinkPolicy::kKeep) socket.file.Keep();
  return socket;
}

absl::StatusOr<BoundSocket> BindSocketAnywhere(SocketType type) {
  auto fd = OpenSocket(AF_UNIX, type);
  if (!fd.ok()) return fd.status();
  sockaddr family = {};
  family.sa_family = AF_UNIX;
  if (bind(fd->get(), &family, sizeof family.sa_family) != 0) {
    return OsError(errno, "bind");
  }
  const SocketAddress address = SocketAddress::Of(fd->get());
  return BoundSocket{*std::move(fd), address, SocketFile()};
}

}  // namespace troupe
