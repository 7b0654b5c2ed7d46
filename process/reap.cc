#include "process/reap.h"

#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>

#include "io/os_error.h"

namespace troupe {
namespace {

// libc's waitid(3) drops the fifth argument, the usage.
absl::StatusOr<std::optional<ExitReport>> WaitId(int pidfd, int options) {
  siginfo_t info = {};
  ExitReport report;
  while (syscall(SYS_waitid, P_PIDFD, pidfd, &info, WEXITED | options,
                 &report.usage) != 0) {
    if (errno == ECHILD) return ExitReport{ExitStatus::Lost()};
    if (errno != EINTR) return OsError(errno, "waitid");
  }
  if (info.si_pid == 0) return std::nullopt;
  report.status = ExitStatus::FromSiginfo(info);
  return report;
}

}  // namespace

absl::StatusOr<std::optional<ExitReport>> PollExit(int pidfd) {
  return WaitId(pidfd, WNOHANG | WNOWAIT);
}

absl::StatusOr<ExitReport> AwaitExit(int pidfd) {
  auto report = WaitId(pidfd, WNOWAIT);
  if (!report.ok()) return report.status();
  return report->value_or(ExitReport{});
}

absl::StatusOr<ExitReport> Reap(int pidfd) {
  auto report = WaitId(pidfd, WNOHANG);
  if (!report.ok()) return report.status();
  if (!report->has_value()) {
    return absl::FailedPreconditionError("the child still runs");
  }
  return **report;
}

absl::Status SignalProcess(int pidfd, int signal_number) {
  if (syscall(SYS_pidfd_send_signal, pidfd, signal_number, nullptr, 0) != 0) {
    return OsError(errno, "pidfd_send_signal");
  }
  return absl::OkStatus();
}

}  // namespace troupe
