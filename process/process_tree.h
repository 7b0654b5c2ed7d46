// A child's process group: the child, its leader, and the offspring that stayed
// in it.
//
//   SignalGroup(child.pid, SIGTERM);
//   auto left = GroupMembers(child.pid);   // who is still there, leader aside
//
// A group is only a number. It is pinned while its leader is not reaped, and
// only so long are these calls legal: afterwards the number may be given to a
// stranger's group (pidfd signals to a group need Linux 6.9). Offspring that
// made a group of its own is not reached.
#ifndef TROUPE_PROCESS_PROCESS_TREE_H_
#define TROUPE_PROCESS_PROCESS_TREE_H_

#include <sys/types.h>

#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace troupe {

// NotFound when the group has no member, not even a zombie. InvalidArgument for
// our own group and for the numbers that mean "everybody" to kill(2).
absl::Status SignalGroup(pid_t group, int signal_number);

// The living members other than the leader, as far as /proc shows them (mounted
// with hidepid it hides strangers). Ascending. A snapshot: they may fork or end
// while it is taken, and their pids are not pinned.
absl::StatusOr<std::vector<pid_t>> GroupMembers(pid_t group);

}  // namespace troupe

#endif  // TROUPE_PROCESS_PROCESS_TREE_H_
