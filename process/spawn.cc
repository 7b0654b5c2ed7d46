#include "process/spawn.h"

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <memory>
#include <utility>

#include "io/os_error.h"
#include "process/child_setup.h"
#include "process/dumpable_guard.h"
#include "process/reap.h"
#include "process/spawn_plan.h"

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
pid_t CloneChild(ChildSetup* setup, const ChildStack& stack) {
  AllSignalsBlocked blocked;
  return clone(RunChildSetup, stack.top(),
               CLONE_VM | CLONE_VFORK | CLONE_PIDFD | SIGCHLD, setup,
               &setup->flags->pidfd);
}

// For a child that did not exec or is to die: it is gone when this returns.
void RemoveChild(int pidfd) {
  (void)SignalProcess(pidfd, SIGKILL);
  (void)AwaitExit(pidfd);
  (void)Reap(pidfd);
}

absl::StatusOr<SpawnedChild> FinishSpawn(SpawnPlan* plan, pid_t pid,
                                         bool aborted) {
  const int raw_pidfd = plan->setup()->flags->pidfd;
  if (raw_pidfd < 0) {  // the kernel did not know the flag
    kill(pid, SIGKILL);
    waitpid(pid, nullptr, 0);
    return OsError(ENOSYS, "clone(CLONE_PIDFD)");
  }
  OwnedFd pidfd(raw_pidfd);
  const int error_number = plan->setup()->error_number;
  if (error_number != 0 || aborted) {
    RemoveChild(pidfd.get());
    return plan->Failure(error_number != 0 ? error_number : ETIME);
  }
  if (pidfd.get() < 3) {  // we run with 0, 1 or 2 closed
    int moved = fcntl(pidfd.get(), F_DUPFD_CLOEXEC, 3);
    if (moved < 0) {
      absl::Status status = OsError(errno, "fcntl");
      RemoveChild(pidfd.get());
      return status;
    }
    pidfd = OwnedFd(moved);
  }
  SpawnedChild child;
  child.pid = pid;
  child.pidfd = std::move(pidfd);
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

absl::StatusOr<SpawnedChild> Spawn(const Command& command,
                                   SpawnAttempt* attempt) {
  SpawnAttempt own;
  if (attempt == nullptr) attempt = &own;
  auto child = SpawnWith(command, attempt);
  attempt->Finish();  // in whatever way it ended
  return child;
}

}  // namespace troupe
