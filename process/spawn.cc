#include "process/spawn.h"

#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"
#include "io/os_error.h"
#include "process/child_setup.h"
#include "process/child_signal.h"
#include "process/dumpable_guard.h"
#include "process/reap.h"
#include "process/spawn_plan.h"
#include "process/stdio_ends.h"

namespace troupe {
namespace {

// The child's stack: its own pages with a guard below, new for each spawn, so
// that no sanitizer knows it and no earlier child has left anything there.
class ChildStack {
 public:
  ChildStack()
      : base_(mmap(nullptr, kSize, PROT_NONE,
                   MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0)) {
    if (base_ == MAP_FAILED) return;
    char* usable = static_cast<char*>(base_) + kGuard;
    if (mprotect(usable, kSize - kGuard, PROT_READ | PROT_WRITE) != 0) {
      munmap(base_, kSize);
      base_ = MAP_FAILED;
    }
  }
  ~ChildStack() {
    if (valid()) munmap(base_, kSize);
  }
  ChildStack(const ChildStack&) = delete;
  ChildStack& operator=(const ChildStack&) = delete;

  bool valid() const { return base_ != MAP_FAILED; }
  void* top() const { return static_cast<char*>(base_) + kSize; }

 private:
  static constexpr size_t kGuard = 64 * 1024;  // a page, however large
  static constexpr size_t kSize = 2 * kGuard;
  void* base_;
};

// All 64 signals, the two that libc keeps for itself included: sigprocmask(3)
// would leave those out.
class AllSignalsBlocked {
 public:
  AllSignalsBlocked() {
    const uint64_t all = ~uint64_t{0};
    syscall(SYS_rt_sigprocmask, SIG_SETMASK, &all, &before_, sizeof all);
  }
  ~AllSignalsBlocked() {
    int saved = errno;
    syscall(SYS_rt_sigprocmask, SIG_SETMASK, &before_, nullptr, sizeof before_);
    errno = saved;
  }
  AllSignalsBlocked(const AllSignalsBlocked&) = delete;
  AllSignalsBlocked& operator=(const AllSignalsBlocked&) = delete;

 private:
  uint64_t before_ = 0;
};

// The pid or -1 and errno. Never CLONE_FILES, CLONE_FS or CLONE_SIGHAND: what
// the child changes must be its own.
pid_t CloneWith(int more_flags, ChildSetup* setup, const ChildStack& stack) {
  return clone(RunChildSetup, stack.top(),
               CLONE_VM | CLONE_VFORK | SIGCHLD | more_flags, setup,
               &setup->flags->pidfd);
}

pid_t CloneChild(ChildSetup* setup, const ChildStack& stack) {
  AllSignalsBlocked blocked;
  const pid_t pid = CloneWith(CLONE_PIDFD, setup, stack);
  if (pid >= 0 || (errno != ENOSYS && errno != EPERM && errno != EINVAL)) {
    return pid;
  }
  setup->flags->pidfd = -1;  // what a clone that failed left there
  return CloneWith(0, setup, stack);
}

// Of a child that was cloned and not reaped. Numbered 3 or higher, also when we
// run with 0, 1 or 2 closed; -1 without a failure where pidfds are forbidden.
absl::StatusOr<OwnedFd> TakePidfd(pid_t pid, int made_by_clone) {
  OwnedFd pidfd(made_by_clone >= 0
                    ? made_by_clone
                    : static_cast<int>(syscall(SYS_pidfd_open, pid, 0)));
  if (pidfd.valid()) return MovedAboveStdio(std::move(pidfd));
  if (errno == ENOSYS || errno == EPERM || errno == EINVAL) return OwnedFd();
  return OsError(errno, "pidfd_open", absl::StrCat(pid));
}

absl::StatusOr<SpawnedChild> FinishSpawn(SpawnPlan* plan, pid_t pid,
                                         bool aborted) {
  auto pidfd = TakePidfd(pid, plan->setup()->flags->pidfd);
  const int error_number = plan->setup()->error_number;
  if (error_number != 0 || aborted || !pidfd.ok()) {
    RemoveChild(pid, pidfd.ok() ? pidfd->get() : -1);
    if (error_number == 0 && !aborted) return pidfd.status();
    return plan->Failure(error_number != 0 ? error_number : ETIME);
  }
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
  ChildStack stack;
  if (!stack.valid()) return OsError(ENOMEM, "mmap");
  if (!attempt->Begin()) return (*plan)->Failure(ETIME);
  DumpableGuard dumpable((*plan)->changes_ids());
  pid_t pid = CloneChild((*plan)->setup(), stack);
  int clone_error = errno;
  // From here on nobody else uses the pidfd.
  bool aborted = attempt->Finish();
  if (pid < 0) return OsError(clone_error, "clone");
  return FinishSpawn(plan->get(), pid, aborted);
}

}  // namespace

void RemoveChild(pid_t pid, int pidfd) {
  const ChildId id = pidfd >= 0 ? ChildId::ByPidfd(pidfd) : ChildId::ByPid(pid);
  (void)SignalChild(pid, pidfd, SIGKILL);
  (void)AwaitExit(id);
  (void)Reap(id);
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
