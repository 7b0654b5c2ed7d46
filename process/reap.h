// The end of a child, through its pidfd: seen first, reaped later.
//
//   auto report = PollExit(pidfd);                       // readable?
//   if (report.ok() && report->has_value()) ...          // publish
//   Reap(pidfd);                                         // its plan is over
//
// An exit is published without reaping because the unreaped leader keeps the
// number of its process group from being given to strangers (core rule 6); so
// does nobody else get its pid. Not for children of other processes. A status
// that somebody else took is not an error: it is ExitStatus::Lost().
//
// Any thread; only AwaitExit waits.
#ifndef TROUPE_PROCESS_REAP_H_
#define TROUPE_PROCESS_REAP_H_

#include <optional>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "process/exit_report.h"

namespace troupe {

// Nothing while the child runs.
absl::StatusOr<std::optional<ExitReport>> PollExit(int pidfd);

// Like PollExit, but waits for the end.
absl::StatusOr<ExitReport> AwaitExit(int pidfd);

// Takes the zombie away. FailedPrecondition while the child runs. After it the
// pid and the group number may mean a stranger.
absl::StatusOr<ExitReport> Reap(int pidfd);

// To the one process behind the pidfd, never to a stranger. NotFound once it is
// reaped; a signal to a zombie succeeds and does nothing. EINVAL for a number
// that is no signal (row P20).
absl::Status SignalProcess(int pidfd, int signal_number);

}  // namespace troupe

#endif  // TROUPE_PROCESS_REAP_H_
