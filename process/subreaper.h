// What it takes to be the one to whom orphans are given.
//
//   SetSubreaper(true);
//   ... children that lose their parents become ours ...
//   for (const ProcessEntry& child : *OwnChildren(is_known)) ...
//
// The setting is the process's, not inherited by children; init is a subreaper
// anyway. Any thread.
#ifndef TROUPE_PROCESS_SUBREAPER_H_
#define TROUPE_PROCESS_SUBREAPER_H_

#include <sys/types.h>

#include <functional>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "process/process_table.h"

namespace troupe {

// PR_SET_CHILD_SUBREAPER. Orphans that we have when it is unset stay ours.
absl::Status SetSubreaper(bool on);
bool IsSubreaper();

// Ours, of whichever thread, zombies included, but those that `skip` says are
// not looked at. Reads the lists of our threads, or the whole process table
// where the kernel has none. One of the former may be missed if another one is
// reaped or a thread ends meanwhile (proc(5)).
absl::StatusOr<std::vector<ProcessEntry>> OwnChildren(
    const std::function<bool(pid_t)>& skip);

// Whether there is any zombie among them, without a look at the others.
bool AnyChildEnded();

}  // namespace troupe

#endif  // TROUPE_PROCESS_SUBREAPER_H_
