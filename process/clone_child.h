// clone(2) for a spawn: the one place that makes a process.
//
// The child runs RunChildSetup in our memory, on a stack of its own, while the
// calling thread is suspended until exec or the end. All signals are blocked
// across it. Never CLONE_FILES, CLONE_FS or CLONE_SIGHAND: what the child
// changes must be its own.
//
// The kernel is asked for as much as it has: clone3(2) that also resets the
// handlers of signals (Linux 5.5), which saves the child sixty system calls,
// and puts it into its cgroup (5.7), which a write into cgroup.procs may take
// milliseconds for; where that is not known or forbidden clone(2) with a pidfd;
// then without.
#ifndef TROUPE_PROCESS_CLONE_CHILD_H_
#define TROUPE_PROCESS_CLONE_CHILD_H_

#include <sys/types.h>

#include "process/child_setup.h"

namespace troupe {

// The pid, or -1 and errno: of clone(2), or ENOMEM for a stack. A pidfd that
// the kernel made is in the setup's flags, else -1 is.
pid_t CloneChild(ChildSetup* setup);

}  // namespace troupe

#endif  // TROUPE_PROCESS_CLONE_CHILD_H_
