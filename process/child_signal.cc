#include "process/child_signal.h"

#include <signal.h>
#include <sys/wait.h>

#include <cerrno>

#include "absl/strings/str_cat.h"
#include "io/os_error.h"
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
  absl::Status refused = OsError(ESRCH, "kill", absl::StrCat(pid));
  if (pidfd >= 0) {
    refused = SignalProcess(pidfd, signal_number);
    if (refused.ok()) return refused;
    const int error = OsFailureOf(refused)->error_number;
    if (error != ENOSYS && error != EPERM) return refused;
  }
  if (!IsOurChild(pid)) return refused;
  if (kill(pid, signal_number) != 0) {
    return OsError(errno, "kill", absl::StrCat(pid));
  }
  return absl::OkStatus();
}

}  // namespace troupe
