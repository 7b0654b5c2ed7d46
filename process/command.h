// What to run and how: everything about a child that is settled before it
// exists. Each field's default is the sensible choice.
//
//   Command command;
//   command.argv = {"sort", "-u"};
//   command.stdin_from = Stdio::Pipe();
//   command.stdout_to = Stdio::Pipe();
//   command.group = ProcessGroup::kNewGroup;
//
// A value: copy it, keep it, start it twice. Only the numbers of borrowed
// descriptors in it go stale.
//
// What a child always gets: no descriptor but 0, 1, 2 and `extra_fds`. For its
// signals see signal_setup.h.
#ifndef TROUPE_PROCESS_COMMAND_H_
#define TROUPE_PROCESS_COMMAND_H_

#include <sys/resource.h>
#include <sys/types.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "io/owned_fd.h"
#include "process/child_stdio.h"
#include "process/environment.h"
#include "process/scheduling.h"
#include "process/signal_setup.h"
#include "process/terminal_setup.h"

namespace troupe {

enum class ProcessGroup {
  kInherit,     // ours: a terminal's Ctrl-C reaches the child too
  kNewGroup,    // its own: it can be signalled with all its offspring
  kNewSession,  // its own, and no controlling terminal
};

// A descriptor the child gets under a number of its own choice, 3 or higher.
struct ExtraFd {
  int child_number = -1;
  int fd = -1;  // borrowed: open until Spawn returns
  std::shared_ptr<const OwnedFd> shared_fd = nullptr;  // or this one

  int descriptor() const {
    return shared_fd != nullptr ? shared_fd->get() : fd;
  }

  friend bool operator==(const ExtraFd&, const ExtraFd&) = default;
};

// See setrlimit(2) for resources and units.
struct ResourceLimit {
  int resource = RLIMIT_NOFILE;
  rlim_t soft = RLIM_INFINITY;
  rlim_t hard = RLIM_INFINITY;

  friend bool operator==(const ResourceLimit&, const ResourceLimit&) = default;
};

struct Command {
  // `text` as a program of /bin/sh, with all that this means for quoting; its
  // exit code is 127 for a command that is not found. Nothing else here ever
  // runs a shell.
  static Command Shell(std::string text);

  std::vector<std::string> argv = {};

  // The file to run when it is not argv[0]. Without a slash it is looked up in
  // the PATH of the child's environment.
  std::optional<std::string> program = std::nullopt;

  Environment environment = {};
  std::optional<std::string> cwd = std::nullopt;

  Stdio stdin_from = {};
  Stdio stdout_to = {};
  Stdio stderr_to = {};
  std::vector<ExtraFd> extra_fds = {};

  ProcessGroup group = ProcessGroup::kInherit;

  // With kInherit: not our group but this one, of a process in our session. Its
  // leader must not be reaped before, or the number may be a stranger's. The
  // child leads nothing: a stop reaches it alone.
  std::optional<pid_t> join_group = std::nullopt;

  // With kNewSession: its terminal becomes the session's, the pty if there is
  // one, else what is on stdin.
  bool controlling_terminal = false;
  TerminalSetup terminal = {};  // what Stdio::Pty makes

  std::optional<mode_t> umask = std::nullopt;
  std::vector<ResourceLimit> limits = {};
  Scheduling scheduling = {};

  // Each is set alone, as asyncio does: `uid` leaves our supplementary groups
  // to the child unless `groups` is given, too.
  std::optional<uid_t> uid = std::nullopt;
  std::optional<gid_t> gid = std::nullopt;
  std::optional<std::vector<gid_t>> groups = std::nullopt;

  // Sent to the child when the *thread* that spawned it ends (prctl(2)). A
  // program with set-user-id drops it.
  std::optional<int> parent_death_signal = std::nullopt;

  SignalSetup signals = {};

  // The folder of a cgroup (v2) the child is in before it runs anything; see
  // cgroup.h for one of its own.
  std::optional<std::string> cgroup = std::nullopt;

  // Shared descriptors are equal if they are the same object.
  friend bool operator==(const Command&, const Command&) = default;
};

// Runs `command` as a terminal emulator would: a pty on all three streams, in a
// session of its own that has it as its terminal. Our end is written as the
// child's stdin and read as its stdout.
void UseTerminal(Command* command, const TerminalSetup& terminal = {});

// What the child will be called in messages: `program`, else argv[0].
const std::string& ProgramOf(const Command& command);

// Everything that can be wrong with a command without asking the system; run
// before anything is opened. InvalidArgument, in asyncio's words where it has
// some (rows P6, P7), or EBADF for a descriptor that cannot be one.
absl::Status Validate(const Command& command);

}  // namespace troupe

#endif  // TROUPE_PROCESS_COMMAND_H_
