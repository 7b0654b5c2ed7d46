#include "process/child_signal.h"

#include <signal.h>
#include <sys/wait.h>

#include <cerrno>

#include "absl/strings/str_cat.h"
#include "io/os_error.h"
#include "process/process_tree.h"
#include "process/reap.h"

namespace troupe {
namespace {

// Running or a zombie, but nobody else's.
bool IsOurChild(pid_t pid) {
  auto report = PollExit(ChildId::ByPid(pid));
  return report.ok() && !(report->has_value() && (*report)->status.lost());
}

}  // namespace

absl::Status SignalChild(pid_t pid, int pidfd, int signal_number) {
  if (pidfd >= 0) {
    absl::Status sent = SignalProcess(pidfd, signal_number);
    if (sent.ok()) return sent;
    const int error = OsFailureOf(sent)->error_number;
    if (error != ENOSYS && error != EPERM) return sent;
  }
  if (!IsOurChild(pid)) return OsError(ESRCH, "kill", absl::StrCat(pid));
  if (kill(pid, signal_number) != 0) {
    return OsError(errno, "kill", absl::StrCat(pid));
  }
  return absl::OkStatus();
}

absl::Status SignalGroupOf(pid_t leader, int pidfd, int signal_number) {
  absl::Status there = SignalChild(leader, pidfd, 0);
  if (absl::IsNotFound(there)) return there;
  return SignalGroup(leader, signal_number);
}

}  // namespace troupe
