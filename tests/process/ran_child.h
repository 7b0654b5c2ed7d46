// Runs a command to its end and tells what came out.
//
//   RanChild ran = RunToEnd({.argv = {ChildProgram("exit_with"), "3"}});
//   ran.spawned       OK, or why it could not start
//   ran.status        ExitStatus::Exited(3)
//   ran.out, ran.err  what came through Stdio::Pipe
//
// Stdin, if a pipe, is closed at once. The child is reaped.
#ifndef TROUPE_TESTS_PROCESS_RAN_CHILD_H_
#define TROUPE_TESTS_PROCESS_RAN_CHILD_H_

#include <map>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "process/command.h"
#include "process/exit_status.h"
#include "process/spawn.h"

namespace troupe {

struct RanChild {
  absl::Status spawned;
  ExitStatus status;
  std::string out;
  std::string err;
};

RanChild RunToEnd(const Command& command);

// The same with stdout to a pipe, for the common case: what it printed.
std::string OutputOf(Command command);

// Everything until the end of a non-blocking pipe.
std::string ReadToEnd(int fd);

// The next `count` bytes of it, or fewer at its end.
std::string ReadBytes(int fd, size_t count);

// `name=value` or `name:value` lines.
std::map<std::string, std::string> Facts(absl::string_view output);

// Closes stdin, waits for the end and reaps.
ExitStatus EndOf(SpawnedChild* child);

}  // namespace troupe

#endif  // TROUPE_TESTS_PROCESS_RAN_CHILD_H_
