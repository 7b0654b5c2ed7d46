#include "tests/stress/few_pids.h"

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>

namespace troupe {
namespace {

// The kernel gives lower numbers once, and then only from here on.
constexpr int kReserved = 300;
constexpr int kFewest = 64;
constexpr int kRefused = 213;

int few_pids = 0;

int WaitFor(pid_t pid) {
  int status = 0;
  // Also others' children end here, in the namespace's first process.
  for (pid_t ended = 0; ended != pid;) {
    ended = wait(&status);
    if (ended < 0 && errno != EINTR) return 1;
  }
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

// In a child that does not outlive us.
int Fork(const std::function<int()>& work) {
  const pid_t pid = fork();
  if (pid < 0) return 1;
  if (pid > 0) return WaitFor(pid);
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  const int result = work();
  fflush(nullptr);
  _exit(result);
}

int Refused(const char* step) {
  fprintf(stderr, "%s: %s: pids are not few here\n", step, strerror(errno));
  return kRefused;
}

// The kernel's own least number grows with the CPUs.
bool LimitPids() {
  const int file = open("/proc/sys/kernel/pid_max", O_WRONLY | O_CLOEXEC);
  for (int few = kFewest; file >= 0 && few <= 1024; few *= 2) {
    const std::string text = std::to_string(kReserved + few);
    if (write(file, text.data(), text.size()) < 0) continue;
    close(file);
    few_pids = few;
    return true;
  }
  return false;
}

// A kernel before 6.14 has one pid_max for all, which must not be touched.
bool HasOwnLimit() {
  long version[2] = {};
  FILE* file = fopen("/proc/sys/kernel/osrelease", "r");
  const bool read =
      file != nullptr && fscanf(file, "%ld.%ld", &version[0], &version[1]) == 2;
  if (file != nullptr) fclose(file);
  errno = ENOSYS;
  return read && (version[0] > 6 || (version[0] == 6 && version[1] >= 14));
}

int WorkAsFirst(const std::function<int()>& work) {
  if (mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0 ||
      mount("proc", "/proc", "proc", 0, nullptr) != 0) {
    return Refused("mount /proc");
  }
  if (!LimitPids()) return Refused("write pid_max");
  return Fork([&]() -> int { exit(work()); });  // a sanitizer's last look, too
}

}  // namespace

int RunWithFewPids(const std::function<int()>& work) {
  const int result = Fork([&] {
    if (!HasOwnLimit()) return Refused("pid_max of a namespace");
    if (unshare(CLONE_NEWPID | CLONE_NEWNS) != 0) return Refused("unshare");
    return Fork([&] { return WorkAsFirst(work); });
  });
  return result == kRefused ? work() : result;
}

int FewPids() { return few_pids; }

}  // namespace troupe
