#include "process/exit_status.h"

#include <sys/wait.h>

#include "absl/strings/str_cat.h"
#include "signals/signal_name.h"

namespace troupe {

ExitStatus ExitStatus::Exited(int code) {
  // No more than these eight bits leave a process (exit(3)); P22.
  return ExitStatus(Kind::kExited, code & 0xff, false);
}

ExitStatus ExitStatus::Killed(int signal, bool core_dumped) {
  return ExitStatus(Kind::kKilled, signal, core_dumped);
}

ExitStatus ExitStatus::FromSiginfo(const siginfo_t& info) {
  switch (info.si_code) {
    case CLD_EXITED:
      return Exited(info.si_status);
    case CLD_KILLED:
      return Killed(info.si_status);
    case CLD_DUMPED:
      return Killed(info.si_status, /*core_dumped=*/true);
    default:
      return Lost();
  }
}

std::optional<ExitStatus> ExitStatus::FromWaitStatus(int wait_status) {
  if (WIFEXITED(wait_status)) return Exited(WEXITSTATUS(wait_status));
  if (WIFSIGNALED(wait_status)) {
    return Killed(WTERMSIG(wait_status), WCOREDUMP(wait_status));
  }
  return std::nullopt;
}

int ExitStatus::ReturnCode() const {
  if (lost()) return 255;
  return killed() ? -value_ : value_;
}

int ExitStatus::ShellCode() const {
  if (lost()) return 255;
  return killed() ? 128 + value_ : value_;
}

std::string ExitStatus::ToString() const {
  if (lost()) return "exit status lost";
  if (exited()) return absl::StrCat("exit code ", value_);
  return absl::StrCat("killed by ", SignalName(value_),
                      core_dumped_ ? " (core dumped)" : "");
}

int ReturnCodeFromWaitStatus(int wait_status) {
  auto status = ExitStatus::FromWaitStatus(wait_status);
  return status.has_value() ? status->ReturnCode() : wait_status;
}

}  // namespace troupe
