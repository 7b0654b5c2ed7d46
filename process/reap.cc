#include "process/reap.h"

#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>

#include "io/os_error.h"

namespace troupe {
namespace {

// libc's waitid(3) drops the fifth argument, the usage. False and errno when
// it fails; si_pid is 0 when nobody has ended.
bool WaitId(ChildId child, int options, siginfo_t* info, rusage* usage) {
  *info = {};
  while (syscall(SYS_waitid, child.type, child.id, info, WEXITED | options,
                 usage) != 0) {
    if (errno != EINTR) return false;
  }
  return true;
}

absl::StatusOr<std::optional<ExitReport>> ExitOf(ChildId child, int options) {
  siginfo_t info;
  ExitReport report;
  if (!WaitId(child, options, &info, &report.usage)) {
    if (errno == ECHILD) return ExitReport{ExitStatus::Lost()};
    return OsError(errno, "waitid");
  }
  if (info.si_pid == 0) return std::nullopt;
  report.status = ExitStatus::FromSiginfo(info);
  return report;
}

}  // namespace

absl::StatusOr<std::optional<ExitReport>> PollExit(ChildId child) {
  return ExitOf(child, WNOHANG | WNOWAIT);
}

absl::StatusOr<ExitReport> AwaitExit(ChildId child) {
  auto report = ExitOf(child, WNOWAIT);
  if (!report.ok()) return report.status();
  return report->value_or(ExitReport{});
}

absl::StatusOr<ExitReport> Reap(ChildId child) {
  auto report = ExitOf(child, WNOHANG);
  if (!report.ok()) return report.status();
  if (!report->has_value()) {
    return absl::FailedPreconditionError("the child still runs");
  }
  return **report;
}

absl::StatusOr<std::optional<ReapedChild>> ReapAny() {
  siginfo_t info;
  ReapedChild reaped;
  if (!WaitId({P_ALL, 0}, WNOHANG, &info, &reaped.report.usage)) {
    if (errno == ECHILD) return std::nullopt;  // no children at all
    return OsError(errno, "waitid");
  }
  if (info.si_pid == 0) return std::nullopt;
  reaped.pid = info.si_pid;
  reaped.report.status = ExitStatus::FromSiginfo(info);
  return reaped;
}

absl::Status SignalProcess(int pidfd, int signal_number) {
  if (syscall(SYS_pidfd_send_signal, pidfd, signal_number, nullptr, 0) != 0) {
    return OsError(errno, "pidfd_send_signal");
  }
  return absl::OkStatus();
}

}  // namespace troupe
