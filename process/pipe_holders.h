// Who can still write into a pipe: why the output of a child that has exited
// does not end.
//
//   auto pipe = PipeIdOf(stdout_pipe.get());       // while we have our end
//   auto holders = PipeHolders({*pipe});
//   // {{pid 4711, pipe 0, "sleep"}}
//
// /proc is read, so this may block: not on an I/O thread. A snapshot: a process
// may end, or hand its end on, while it is taken; the pids are not pinned. What
// we may not look into (another user's process, hidepid) is not found. A
// process with several descriptors of a pipe is named once. We ourselves are
// named, too, if we have a writing end.
#ifndef TROUPE_PROCESS_PIPE_HOLDERS_H_
#define TROUPE_PROCESS_PIPE_HOLDERS_H_

#include <sys/types.h>

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"

namespace troupe {

// The number of a pipe, the same for both ends (proc(5), "pipe:[...]").
using PipeId = ino_t;

// Nothing for what is no pipe.
std::optional<PipeId> PipeIdOf(int fd);

struct PipeHolder {
  pid_t pid = -1;
  size_t pipe = 0;      // which of those that were asked for
  std::string program;  // its name, at most 15 bytes (proc(5), comm)
};

// Ascending by pid, then by pipe.
absl::StatusOr<std::vector<PipeHolder>> PipeHolders(
    const std::vector<PipeId>& pipes);

}  // namespace troupe

#endif  // TROUPE_PROCESS_PIPE_HOLDERS_H_
