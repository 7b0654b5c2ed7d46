// A signal to a child, through its pidfd where that is allowed.
//
// Filters that were written before there were pidfds answer pidfd_send_signal
// with EPERM or ENOSYS, and with others a child has no pidfd at all. Then the
// signal goes to the pid, which means the child until it is reaped. What is
// lost: a stranger in this program who reaps it at that very moment
// (waitpid(-1) on another thread) can make the number another process's. One
// who did so before is noticed.
#ifndef TROUPE_PROCESS_CHILD_SIGNAL_H_
#define TROUPE_PROCESS_CHILD_SIGNAL_H_

#include <sys/types.h>

#include "absl/status/status.h"

namespace troupe {

// `pidfd` is -1 where there is none. Errors as SignalProcess: NotFound once it
// is reaped, EINVAL for a number that is no signal.
absl::Status SignalChild(pid_t pid, int pidfd, int signal_number);

// To the group that the child leads. NotFound unless it is there, if only as a
// zombie: the number may mean strangers then. One that may not be signalled
// itself (set-user-id) is there.
absl::Status SignalGroupOf(pid_t leader, int pidfd, int signal_number);

}  // namespace troupe

#endif  // TROUPE_PROCESS_CHILD_SIGNAL_H_
