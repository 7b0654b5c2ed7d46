#include "io/sockets/peer_credentials.h"

#include <sys/socket.h>

#include <cerrno>
#include <utility>

#include "io/os_error.h"

// Linux 6.5; Debian 12's headers are older.
#ifndef SO_PEERPIDFD
#define SO_PEERPIDFD 77
#endif

namespace troupe {
namespace {

// 0 or errno.
template <class Value>
int Get(int fd, int option, Value* value) {
  socklen_t size = sizeof *value;
  return getsockopt(fd, SOL_SOCKET, option, value, &size) == 0 ? 0 : errno;
}

int PeerPidfd(int fd, OwnedFd* pidfd) {
  int number = -1;
  const int error = Get(fd, SO_PEERPIDFD, &number);
  switch (error) {
    case 0:
      *pidfd = OwnedFd(number);
      return 0;
    case ENOPROTOOPT:  // the kernel does not know of it
    case EINVAL:       // the process is gone, ...
    case ESRCH:
    case ENODATA:
      return 0;
    default:
      return error;
  }
}

}  // namespace

absl::StatusOr<PeerCredentials> PeerCredentialsOf(int fd) {
  int family = 0;
  int error = Get(fd, SO_DOMAIN, &family);
  if (error != 0) return OsError(error, "SO_DOMAIN");
  if (family != AF_UNIX) return OsError(EOPNOTSUPP, "SO_PEERCRED");
  // One that listens has its own credentials there.
  int listens = 0;
  error = Get(fd, SO_ACCEPTCONN, &listens);
  if (error != 0) return OsError(error, "SO_ACCEPTCONN");
  ucred peer = {};
  error = Get(fd, SO_PEERCRED, &peer);
  if (error != 0) return OsError(error, "SO_PEERCRED");
  if (listens != 0 || peer.uid == static_cast<uid_t>(-1)) {
    return OsError(ENOTCONN, "SO_PEERCRED");
  }
  PeerCredentials credentials = {peer.pid, peer.uid, peer.gid, OwnedFd()};
  error = PeerPidfd(fd, &credentials.pidfd);
  if (error != 0) return OsError(error, "SO_PEERPIDFD");
  return credentials;
}

}  // namespace troupe
