// The end of a child: seen first, reaped later. Through its pidfd, or by its
// pid where it has none.
//
//   const ChildId child = ChildId::ByPidfd(pidfd);
//   auto report = PollExit(child);                       // readable?
//   if (report.ok() && report->has_value()) ...          // publish
//   Reap(child);                                         // its plan is over
//
// An exit is published without reaping because the unreaped leader keeps the
// number of its process group from being given to strangers (core rule 6); so
// does nobody else get its pid. Not for children of other processes. A status
// that somebody else took is not an error: it is ExitStatus::Lost().
//
// By its pid alone a child is meant as long as nobody reaps it: afterwards the
// number may be another child's.
//
// Any thread; only AwaitExit waits.
#ifndef TROUPE_PROCESS_REAP_H_
#define TROUPE_PROCESS_REAP_H_

#include <sys/types.h>
#include <sys/wait.h>

#include <optional>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "process/exit_report.h"

namespace troupe {

// Whom to wait for, as waitid(2) takes it.
struct ChildId {
  idtype_t type = P_PIDFD;
  id_t id = 0;

  static ChildId ByPidfd(int pidfd) {
    return {P_PIDFD, static_cast<id_t>(pidfd)};
  }
  static ChildId ByPid(pid_t pid) { return {P_PID, static_cast<id_t>(pid)}; }
  // By its pidfd, or by its pid if that is -1: it has none.
  static ChildId Of(pid_t pid, int pidfd) {
    return pidfd >= 0 ? ByPidfd(pidfd) : ByPid(pid);
  }
};

// Nothing while the child runs.
absl::StatusOr<std::optional<ExitReport>> PollExit(ChildId child);

// Like PollExit, but waits for the end.
absl::StatusOr<ExitReport> AwaitExit(ChildId child);

// Takes the zombie away. FailedPrecondition while the child runs. After it the
// pid and the group number may mean a stranger.
absl::StatusOr<ExitReport> Reap(ChildId child);

// Takes any zombie away, whoever waits for it; nothing if there is none. What
// waitpid(-1, ..., WNOHANG) does, and as bad for others.
struct ReapedChild {
  pid_t pid = -1;
  ExitReport report;
};
absl::StatusOr<std::optional<ReapedChild>> ReapAny();

// To the one process behind the pidfd, never to a stranger. NotFound once it is
// reaped; a signal to a zombie succeeds and does nothing. EINVAL for a number
// that is no signal (row P20).
absl::Status SignalProcess(int pidfd, int signal_number);

}  // namespace troupe

#endif  // TROUPE_PROCESS_REAP_H_
