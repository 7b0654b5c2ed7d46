// Commands whose output is the next one's input, `a | b | c`, as one value.
//
//   Pipeline pipeline{{{.argv = {"sort"}}, {.argv = {"uniq", "-c"}}}};
//   pipeline.commands.front().stdin_from = Stdio::Pipe();
//   pipeline.commands.back().stdout_to = Stdio::Pipe();
//
// The stdout of each command but the last is a pipe to the stdin of the next;
// these fields stay as they are by default. Everything else is as each Command
// says: the first one's stdin, the last one's stdout, each stderr (merged: into
// the pipe, as with `|&`), and each group. See pipeline_actor.h for running it.
#ifndef TROUPE_PROCESS_PIPELINE_H_
#define TROUPE_PROCESS_PIPELINE_H_

#include <cstddef>
#include <optional>
#include <vector>

#include "absl/status/status.h"
#include "process/command.h"
#include "process/exit_status.h"

namespace troupe {

struct Pipeline {
  std::vector<Command> commands = {};  // at least one

  friend bool operator==(const Pipeline&, const Pipeline&) = default;
};

// All that can be wrong without asking the system, each command included.
// InvalidArgument, or what Validate says of a command; see FailedCommandOf.
absl::Status Validate(const Pipeline& pipeline);

// `why` as it befell the command of index `command` among `count`; its text
// begins with `command 2 of 3: `, its payloads stay.
absl::Status InCommand(size_t command, size_t count, const absl::Status& why);

// The index of the command that such a status is about, also after its way
// through a caf::error; nothing for any other status.
std::optional<size_t> FailedCommandOf(const absl::Status& status);

enum class BrokenPipe {
  kIsNoFailure,  // as `yes | head -1` is meant
  kIsFailure,    // as a shell with `pipefail` counts
};

// The index of the first command that did not end well; nothing: all did. Of
// `broken_pipe` are those before the last that SIGPIPE ended: the next one read
// no more, and says itself whether that was a failure.
std::optional<size_t> FirstFailed(
    const std::vector<ExitStatus>& statuses,
    BrokenPipe broken_pipe = BrokenPipe::kIsNoFailure);

}  // namespace troupe

#endif  // TROUPE_PROCESS_PIPELINE_H_
