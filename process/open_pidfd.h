// A descriptor that means one process as long as it is open (pidfd_open(2)).
#ifndef TROUPE_PROCESS_OPEN_PIDFD_H_
#define TROUPE_PROCESS_OPEN_PIDFD_H_

#include <sys/types.h>

#include "absl/status/statusor.h"
#include "io/owned_fd.h"

namespace troupe {

// Who has the number now. NotFound when nobody has. Where pidfds are forbidden:
// ENOSYS, EPERM or EINVAL (see OsFailureOf).
absl::StatusOr<OwnedFd> OpenPidfd(pid_t pid);

}  // namespace troupe

#endif  // TROUPE_PROCESS_OPEN_PIDFD_H_
