// Lines of the process table: who is whose parent, in which group and session.
//
//   auto seen = ReadProcess(pid);
//   ...
//   if (seen->IsSameAs(ReadProcess(pid)))   // not somebody who got its number
//
// From /proc, as far as it shows others (mounted with hidepid it does not). A
// listing is a snapshot that takes a while: processes fork and end meanwhile,
// and pids are not pinned. May block; microseconds for each process.
#ifndef TROUPE_PROCESS_PROCESS_TABLE_H_
#define TROUPE_PROCESS_PROCESS_TABLE_H_

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace troupe {

// The fields of /proc/PID/stat (proc(5)).
struct ProcessEntry {
  pid_t pid = -1;
  pid_t parent = -1;
  pid_t group = -1;
  pid_t session = -1;
  char state = '?';
  uint64_t start = 0;  // in clock ticks, usually 10 ms, since boot

  bool IsAlive() const { return state != 'Z' && state != 'X'; }
  // A number is given again only when all have been, so within one tick it
  // means one process.
  bool IsSameAs(const std::optional<ProcessEntry>& other) const {
    return other.has_value() && pid == other->pid && start == other->start;
  }
};

// Nothing when there is none; a zombie is one.
std::optional<ProcessEntry> ReadProcess(pid_t pid);

// Ascending by pid.
absl::StatusOr<std::vector<ProcessEntry>> ListProcesses();

// To `seen` alone, through a pidfd: NotFound when it is gone or another one has
// its number. Unimplemented or PermissionDenied where pidfds are forbidden: a
// signal to a number that is not pinned may hit anybody.
absl::Status SignalSeen(const ProcessEntry& seen, int signal_number);

}  // namespace troupe

#endif  // TROUPE_PROCESS_PROCESS_TABLE_H_
