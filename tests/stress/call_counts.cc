#include "tests/stress/call_counts.h"

#include <dlfcn.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <cstdarg>

namespace troupe {
namespace {

using Syscall = long (*)(long number, ...);

thread_local int64_t waits = 0;
thread_local int64_t changes = 0;
thread_local int64_t transfers = 0;

}  // namespace

CallCounts CountedCallsHere() { return {waits, changes, transfers}; }

}  // namespace troupe

// In place of the C library's.
extern "C" {

long syscall(long number, ...) noexcept {
  static std::atomic<troupe::Syscall> real{nullptr};
  troupe::Syscall call = real.load(std::memory_order_relaxed);
  if (call == nullptr) {
    call = reinterpret_cast<troupe::Syscall>(dlsym(RTLD_NEXT, "syscall"));
    real.store(call, std::memory_order_relaxed);
  }
  va_list list;
  va_start(list, number);
  long arguments[6];
  for (long& one : arguments) one = va_arg(list, long);
  va_end(list);
  const long result = call(number, arguments[0], arguments[1], arguments[2],
                           arguments[3], arguments[4], arguments[5]);
  switch (number) {
    case SYS_epoll_pwait:
      ++troupe::waits;
      break;
    case SYS_epoll_ctl:
      ++troupe::changes;
      break;
    case SYS_recvfrom:
    case SYS_recvmsg:
    case SYS_sendto:
    case SYS_sendmsg:
      ++troupe::transfers;
      break;
  }
  return result;
}

int epoll_wait(int epoll, epoll_event* events, int most, int timeout) {
  return syscall(SYS_epoll_pwait, epoll, events, most, timeout, nullptr, 8);
}

int epoll_ctl(int epoll, int operation, int fd, epoll_event* event) noexcept {
  return syscall(SYS_epoll_ctl, epoll, operation, fd, event);
}

ssize_t recv(int fd, void* data, size_t size, int flags) {
  return syscall(SYS_recvfrom, fd, data, size, flags, nullptr, nullptr);
}

ssize_t recvmsg(int fd, msghdr* message, int flags) {
  return syscall(SYS_recvmsg, fd, message, flags);
}

ssize_t send(int fd, const void* data, size_t size, int flags) {
  return syscall(SYS_sendto, fd, data, size, flags, nullptr, 0);
}

ssize_t sendmsg(int fd, const msghdr* message, int flags) {
  return syscall(SYS_sendmsg, fd, message, flags);
}

}  // extern "C"
