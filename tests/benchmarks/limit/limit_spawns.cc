#include "tests/benchmarks/limit/limit_spawns.h"

#include <grp.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <utility>

namespace troupe {
namespace {

constexpr size_t kStack = 64 * 1024;

__attribute__((no_sanitize("address", "undefined"))) void Limit(int resource,
                                                                rlim_t value) {
  const rlimit limit = {value, value};
  setrlimit(static_cast<__rlimit_resource>(resource), &limit);
}

}  // namespace

LimitSpawns::LimitSpawns(std::string program, const SpawnOptions& options)
    : program_(std::move(program)),
      options_(options),
      id_(getuid() == 0 ? kNobody : getuid()),
      parent_(getpid()),
      stack_(kStack) {}

// In our memory, so system calls only; and no sanitizer may mark the stack,
// which the next child has, too.
__attribute__((no_sanitize("address", "undefined"))) int LimitSpawns::Child(
    void* self) {
  const auto& spawns = *static_cast<LimitSpawns*>(self);
  const SpawnOptions& options = spawns.options_;
  close_range(3, ~0U, 0);
  if (options.session) setsid();
  if (options.place) (void)!chdir(kPlaceFolder);
  if (options.limits) {
    umask(077);
    setpriority(PRIO_PROCESS, 0, 1);
    Limit(RLIMIT_CORE, 0);
    Limit(RLIMIT_NOFILE, 100);
    Limit(RLIMIT_FSIZE, 1 << 20);
  }
  if (options.ids) {
    if (spawns.id_ == kNobody) syscall(SYS_setgroups, 0, nullptr);
    syscall(SYS_setresgid, spawns.id_, spawns.id_, spawns.id_);
    syscall(SYS_setresuid, spawns.id_, spawns.id_, spawns.id_);
  }
  if (options.limits) {
    prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
    if (syscall(SYS_getppid) != spawns.parent_) _exit(127);
  }
  const char* argv[] = {spawns.program_.c_str(), nullptr};
  const char* environment[] = {kPlaceEnvironment[0], kPlaceEnvironment[1],
                               kPlaceEnvironment[2], nullptr};
  execve(argv[0], const_cast<char**>(argv),
         options.place ? const_cast<char**>(environment) : environ);
  return 127;
}

void LimitSpawns::Run(int64_t count) {
  for (int64_t i = 0; i < count; ++i) StartAndReap();
}

void LimitSpawns::StartAndReap() {
  int pidfd = -1;
  const pid_t pid =
      clone(&Child, stack_.data() + kStack,
            CLONE_VM | CLONE_VFORK | CLONE_PIDFD | SIGCHLD, this, &pidfd);
  siginfo_t how = {};
  if (pid < 0 || waitid(P_PIDFD, pidfd, &how, WEXITED) != 0 ||
      how.si_code != CLD_EXITED || how.si_status != 0) {
    abort();
  }
  close(pidfd);
}

}  // namespace troupe
