#include "io/sockets/socket_type.h"

#include <fcntl.h>

#include <cerrno>
#include <string>

#include "absl/strings/str_cat.h"
#include "io/os_error.h"

namespace troupe {
namespace {

// Negative, with errno, when it cannot be asked.
int Option(int fd, int name) {
  int value = 0;
  socklen_t size = sizeof value;
  return getsockopt(fd, SOL_SOCKET, name, &value, &size) == 0 ? value : -1;
}

std::string FamilyName(int family) {
  switch (family) {
    case AF_UNIX:
      return "AF_UNIX";
    case AF_INET:
      return "AF_INET";
    case AF_INET6:
      return "AF_INET6";
    default:
      return absl::StrCat("family ", family);
  }
}

std::string TypeName(int type) {
  switch (type) {
    case SOCK_STREAM:
      return "SOCK_STREAM";
    case SOCK_SEQPACKET:
      return "SOCK_SEQPACKET";
    case SOCK_DGRAM:
      return "SOCK_DGRAM";
    default:
      return absl::StrCat("type ", type);
  }
}

const char* Kind(SocketType type) {
  switch (type) {
    case SocketType::kStream:
      return "Stream";
    case SocketType::kSeqpacket:
      return "Sequenced-Packet";
    case SocketType::kDatagram:
      return "Datagram";
  }
  return "";
}

}  // namespace

absl::StatusOr<OwnedFd> OpenSocket(int family, SocketType type,
                                   absl::string_view what_for) {
  OwnedFd fd(
      socket(family, static_cast<int>(type) | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!fd.valid()) return OsError(errno, "socket", what_for);
  return fd;
}

absl::Status CheckUnixSocket(int fd, SocketType type) {
  std::string got;
  const int family = Option(fd, SO_DOMAIN);
  if (family < 0) {
    if (errno != ENOTSOCK) return OsError(errno, "getsockopt");
    got = "not a socket";
  } else {
    const int its_type = Option(fd, SO_TYPE);
    if (family == AF_UNIX && its_type == static_cast<int>(type)) {
      return absl::OkStatus();
    }
    got = absl::StrCat(FamilyName(family), ", ", TypeName(its_type));
  }
  return absl::InvalidArgumentError(
      absl::StrCat("A UNIX Domain ", Kind(type),
                   " Socket was expected, got <fd ", fd, ", ", got, ">"));
}

absl::Status PrepareUnixSocket(int fd, SocketType type) {
  absl::Status usable = CheckUnixSocket(fd, type);
  if (!usable.ok()) return usable;
  const int flags = fcntl(fd, F_GETFL);
  if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0 ||
      fcntl(fd, F_SETFD, FD_CLOEXEC) < 0) {
    return OsError(errno, "fcntl");
  }
  return absl::OkStatus();
}

}  // namespace troupe
