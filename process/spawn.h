// Makes a child process: the only place in Troupe that does.
//
//   Command command;
//   command.argv = {"sort"};
//   command.stdout_to = Stdio::Pipe();
//   auto child = Spawn(command);
//   if (!child.ok()) ...   // NOT_FOUND: exec "sort": No such file or directory
//
// Returns when the child has become its program, or could not: by clone(2) with
// CLONE_VM and CLONE_VFORK, so its cost does not grow with our memory whatever
// the command asks for. The calling thread is suspended meanwhile; call it on
// one that has nothing else to do and that lives as long as children with a
// parent-death signal shall (they die with the *thread*).
//
// A spawn that fails leaves nothing: no zombie, no descriptor. The parent gets
// one SIGCHLD for a child that failed before exec.
//
// Errors: InvalidArgument from Validate; else OsError with the step that
// failed, the path it failed on and errno. NotFound: the program or the
// directory is not there. PermissionDenied. ENOEXEC: no shell is tried.
// ETXTBSY: the program was being written for a quarter of a second.
// DeadlineExceeded: aborted through the attempt, with the step it hung in.
// ResourceExhausted or Unavailable: too many descriptors or processes, try
// later.
//
// Where clone(2) may not make a pidfd (ENOSYS or EPERM, of a seccomp filter or
// an old kernel; asked anew by each spawn) it makes the child without one,
// still with CLONE_VM and CLONE_VFORK, and pidfd_open(2) is asked for it. If
// that is forbidden, too, the child is known by its pid alone: as good as long
// as nobody else in the program reaps it, but it cannot be polled for; see
// child_signal.h for signals.
//
// Not promised: that a child which is killed by a stranger between clone and
// exec is told from one killed right after exec. Both are a child that was
// killed.
#ifndef TROUPE_PROCESS_SPAWN_H_
#define TROUPE_PROCESS_SPAWN_H_

#include <sys/types.h>

#include "absl/status/statusor.h"
#include "io/owned_fd.h"
#include "process/command.h"
#include "process/reap.h"
#include "process/spawn_attempt.h"

namespace troupe {

// Every descriptor is close-on-exec and numbered 3 or higher. Dropping it kills
// and reaps nobody: see reap.h.
struct SpawnedChild {
  pid_t pid = -1;
  OwnedFd pidfd;  // invalid where pidfds are forbidden: see above
  // Our ends, non-blocking; invalid where the parent has none. Of a pty there
  // is one on stdin, if that is the terminal, and one on the first of the
  // outputs.
  OwnedFd stdin_pipe;
  OwnedFd stdout_pipe;
  OwnedFd stderr_pipe;
  OwnedFd terminal;  // a third one, to resize it; close it with the others

  ChildId id() const { return ChildId::Of(pid, pidfd.get()); }
};

// Kills and reaps it: it is gone when this returns. A pidfd of -1 is none.
// False for one that may not be killed (set-user-id, row V10): nothing was
// done.
bool RemoveChild(pid_t pid, int pidfd);

// `attempt` may be null; if not, it is used for this one call.
absl::StatusOr<SpawnedChild> Spawn(const Command& command,
                                   SpawnAttempt* attempt = nullptr);

}  // namespace troupe

#endif  // TROUPE_PROCESS_SPAWN_H_
