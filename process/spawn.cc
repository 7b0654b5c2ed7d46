#include "process/spawn.h"

#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"
#include "io/os_error.h"
#include "process/child_setup.h"
#include "process/child_signal.h"
#include "process/clone_child.h"
#include "process/dumpable_guard.h"
#include "process/open_pidfd.h"
#include "process/reap.h"
#include "process/spawn_plan.h"
#include "process/stdio_ends.h"

namespace troupe {
namespace {

void Bury(ChildId id) {
  (void)AwaitExit(id);
  (void)Reap(id);
}

// Of a child that was cloned and not reaped. Numbered 3 or higher, also when we
// run with 0, 1 or 2 closed; -1 without a failure where pidfds are forbidden.
absl::StatusOr<OwnedFd> TakePidfd(pid_t pid, int made_by_clone) {
  if (made_by_clone >= 0) return MovedAboveStdio(OwnedFd(made_by_clone));
  auto pidfd = OpenPidfd(pid);
  if (pidfd.ok()) return MovedAboveStdio(*std::move(pidfd));
  const int error = OsFailureOf(pidfd.status())->error_number;
  if (error == ENOSYS || error == EPERM || error == EINVAL) return OwnedFd();
  return pidfd.status();
}

absl::StatusOr<SpawnedChild> FinishSpawn(SpawnPlan* plan, pid_t pid,
                                         bool aborted) {
  auto pidfd = TakePidfd(pid, plan->setup()->flags->pidfd);
  const int error_number = plan->setup()->error_number;
  if (error_number != 0) {  // it ends by itself
    Bury(ChildId::Of(pid, pidfd.ok() ? pidfd->get() : -1));
    return plan->Failure(error_number);
  }
  if (!pidfd.ok()) {
    (void)SignalChild(pid, -1, SIGKILL);
    Bury(ChildId::ByPid(pid));
    return aborted ? plan->Failure(ETIME) : pidfd.status();
  }
  if (aborted && RemoveChild(pid, pidfd->get())) return plan->Failure(ETIME);
  SpawnedChild child;
  child.pid = pid;
  child.pidfd = *std::move(pidfd);
  child.stdin_pipe = plan->TakePipe(0);
  child.stdout_pipe = plan->TakePipe(1);
  child.stderr_pipe = plan->TakePipe(2);
  child.terminal = plan->TakeTerminal();
  return child;
}

absl::StatusOr<SpawnedChild> SpawnWith(const Command& command,
                                       SpawnAttempt* attempt) {
  absl::Status valid = Validate(command);
  if (!valid.ok()) return valid;
  auto plan = SpawnPlan::Prepare(command, attempt->flags());
  if (!plan.ok()) return plan.status();
  if (!attempt->Begin()) return (*plan)->Failure(ETIME);
  DumpableGuard dumpable((*plan)->changes_ids());
  pid_t pid = CloneChild((*plan)->setup());
  int clone_error = errno;
  // From here on nobody else uses the pidfd.
  bool aborted = attempt->Finish();
  if (pid < 0) return OsError(clone_error, "clone");
  return FinishSpawn(plan->get(), pid, aborted);
}

}  // namespace

bool RemoveChild(pid_t pid, int pidfd) {
  const absl::Status killed = SignalChild(pid, pidfd, SIGKILL);
  if (absl::IsPermissionDenied(killed)) return false;
  Bury(ChildId::Of(pid, pidfd));
  return true;
}

absl::StatusOr<SpawnedChild> Spawn(const Command& command,
                                   SpawnAttempt* attempt) {
  SpawnAttempt own;
  if (attempt == nullptr) attempt = &own;
  auto child = SpawnWith(command, attempt);
  attempt->Finish();  // in whatever way it ended
  return child;
}

}  // namespace troupe
