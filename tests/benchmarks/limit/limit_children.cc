#include "tests/benchmarks/limit/limit_children.h"

#include <sched.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdint>
#include <cstdlib>
#include <utility>

namespace troupe {
namespace {

constexpr size_t kStack = 64 * 1024;
constexpr uint64_t kReader = uint64_t{1} << 32;

}  // namespace

LimitChildren::LimitChildren(std::string program)
    : ChildrenSubject(std::move(program)),
      stack_(kStack),
      epoll_(epoll_create1(EPOLL_CLOEXEC)) {}

LimitChildren::~LimitChildren() { close(epoll_); }

void LimitChildren::OnReadable(int fd, std::function<void()> f) {
  readers_[fd] = std::move(f);
  epoll_event event = {EPOLLIN, {.u64 = kReader | static_cast<unsigned>(fd)}};
  if (epoll_ctl(epoll_, EPOLL_CTL_ADD, fd, &event) != 0) abort();
}

// In our memory, as LimitSpawns::Child.
__attribute__((no_sanitize("address", "undefined"))) int LimitChildren::Child(
    void* self) {
  const auto& children = *static_cast<LimitChildren*>(self);
  dup2(children.stdin_, 0);
  close_range(3, ~0U, 0);
  const char* argv[] = {children.program_.c_str(), nullptr};
  execve(argv[0], const_cast<char**>(argv), environ);
  return 127;
}

void LimitChildren::Start(int stdin_fd) {
  stdin_ = stdin_fd;
  int pidfd = -1;
  const pid_t pid =
      clone(&Child, stack_.data() + kStack,
            CLONE_VM | CLONE_VFORK | CLONE_PIDFD | SIGCHLD, this, &pidfd);
  epoll_event event = {EPOLLIN, {.u64 = static_cast<unsigned>(pidfd)}};
  if (pid < 0 || epoll_ctl(epoll_, EPOLL_CTL_ADD, pidfd, &event) != 0) abort();
  pids_.push_back(pid);
  if (started_) started_();
}

// The last descriptor of a pidfd takes it out of the epoll set.
void LimitChildren::Reap(int pidfd) {
  siginfo_t how = {};
  if (waitid(P_PIDFD, pidfd, &how, WEXITED | WNOHANG) != 0 || how.si_pid == 0) {
    abort();
  }
  close(pidfd);
  ended_(how.si_code == CLD_EXITED ? how.si_status : -how.si_status);
}

void LimitChildren::Run(const std::function<void()>& begin) {
  stopped_ = false;
  begin();
  epoll_event events[256];
  while (!stopped_) {
    const int count = epoll_wait(epoll_, events, 256, -1);
    for (int i = 0; i < count; ++i) {
      const int fd = static_cast<int>(events[i].data.u64);
      events[i].data.u64& kReader ? readers_[fd]() : Reap(fd);
    }
  }
}

}  // namespace troupe
