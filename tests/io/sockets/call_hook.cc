#include "tests/io/sockets/call_hook.h"

#include <sys/file.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

namespace troupe {
namespace {

struct Plan {
  int left = 0;  // calls until it runs; 0: none
  std::function<void()> then;
};
thread_local Plan plans[4];

void Reach(CallHook::Moment moment) {
  Plan& plan = plans[moment];
  if (plan.left == 0 || --plan.left > 0) return;
  const int error = errno;
  std::exchange(plan.then, nullptr)();
  errno = error;
}

}  // namespace

CallHook::CallHook(Moment moment, int nth, std::function<void()> then)
    : moment_(moment) {
  plans[moment] = {nth, std::move(then)};
}

CallHook::~CallHook() { plans[moment_] = {}; }

bool CallHook::ran() const { return plans[moment_].left == 0; }

}  // namespace troupe

// In place of the C library's.
extern "C" {

int bind(int fd, const sockaddr* address, socklen_t size) noexcept {
  const int result = syscall(SYS_bind, fd, address, size);
  troupe::Reach(troupe::CallHook::kAfterBind);
  return result;
}

int connect(int fd, const sockaddr* address, socklen_t size) {
  const int result = syscall(SYS_connect, fd, address, size);
  troupe::Reach(troupe::CallHook::kAfterConnect);
  return result;
}

int unlink(const char* path) noexcept {
  troupe::Reach(troupe::CallHook::kBeforeUnlink);
  return syscall(SYS_unlink, path);
}

int flock(int fd, int operation) noexcept {
  troupe::Reach(troupe::CallHook::kBeforeFlock);
  return syscall(SYS_flock, fd, operation);
}

}  // extern "C"
