// The descriptors behind one Stdio, made in the parent.
//
// Opened with O_NONBLOCK|O_NOCTTY so that no FIFO and no terminal can hold the
// spawner, then made blocking again for the child; close-on-exec from birth;
// and numbered 3 or higher, also in a parent that runs with 0, 1 or 2 closed,
// so that the child's moves cannot overwrite one another's source.
#ifndef TROUPE_PROCESS_STDIO_ENDS_H_
#define TROUPE_PROCESS_STDIO_ENDS_H_

#include "absl/status/statusor.h"
#include "io/owned_fd.h"
#include "process/child_stdio.h"

namespace troupe {

struct StdioEnds {
  int source = -1;  // what the child gets; -1: nothing (inherited, but closed)
  OwnedFd opened;   // owns `source` when we opened it
  OwnedFd parent;   // our end of a pipe or socket pair: non-blocking
};

// `number` is 0, 1 or 2. Not for kMerged and kPty, which are for several
// numbers. Errors: of open(2) with the path;
// EBADF for a descriptor that is not open; EMFILE.
absl::StatusOr<StdioEnds> OpenStdio(const Stdio& stdio, int number);

// The same descriptor under a number of 3 or more, close-on-exec.
absl::StatusOr<OwnedFd> MovedAboveStdio(OwnedFd fd);

}  // namespace troupe

#endif  // TROUPE_PROCESS_STDIO_ENDS_H_
