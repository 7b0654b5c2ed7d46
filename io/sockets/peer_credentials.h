// Who is at the other end of a UNIX socket, as the kernel knows it.
//
//   auto peer = PeerCredentialsOf(connection);
//   if (peer->uid != geteuid()) ...      // refuse
//
// As of the moment of connect(2), listen(2) or socketpair(2): the process may
// have ended, changed its user or given the socket away since. So a pid says
// little by then, while the pidfd is of that very process for ever.
#ifndef TROUPE_IO_SOCKETS_PEER_CREDENTIALS_H_
#define TROUPE_IO_SOCKETS_PEER_CREDENTIALS_H_

#include <sys/types.h>

#include "absl/status/statusor.h"
#include "io/owned_fd.h"

namespace troupe {

struct PeerCredentials {
  pid_t pid;  // 0: in a PID namespace that we do not see
  uid_t uid;
  gid_t gid;
  // Close-on-exec. Invalid where the kernel has none (before Linux 6.5) or the
  // process is gone (before 6.16).
  OwnedFd pidfd;
};

// ENOTCONN without a peer, EOPNOTSUPP for what is no UNIX socket, EMFILE and
// the like when no pidfd can be had.
absl::StatusOr<PeerCredentials> PeerCredentialsOf(int fd);

}  // namespace troupe

#endif  // TROUPE_IO_SOCKETS_PEER_CREDENTIALS_H_
