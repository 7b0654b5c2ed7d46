// The descriptors that a service manager has opened for us (socket activation,
// sd_listen_fds(3)).
//
//   auto passed = TakeListenFds();        // early in main
//   for (PassedFd& passed_fd : *passed) {
//     if (passed_fd.name == "control") {
//       control = UnixListener::Adopt(std::move(passed_fd.fd));
//     }
//   }
//
// They are what LISTEN_FDS counts, from descriptor 3 on, if LISTEN_PID, and
// LISTEN_PIDFDID where the kernel knows such a number, name this process. The
// variables are removed from the environment whatever comes of it, so that no
// child takes them for its own, and the descriptors are closed on exec.
//
// Changes the environment: before there are other threads.
#ifndef TROUPE_IO_SOCKETS_LISTEN_FDS_H_
#define TROUPE_IO_SOCKETS_LISTEN_FDS_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "io/owned_fd.h"

namespace troupe {

struct PassedFd {
  OwnedFd fd;        // of any kind, as it was configured
  std::string name;  // LISTEN_FDNAMES; "unknown" without
};

// In the order of their numbers. Empty when nothing was passed to this process,
// and the second time. INVALID_ARGUMENT, with the name of the variable, for
// values that make no sense; the descriptors are left as they are then.
absl::StatusOr<std::vector<PassedFd>> TakeListenFds();

}  // namespace troupe

#endif  // TROUPE_IO_SOCKETS_LISTEN_FDS_H_
