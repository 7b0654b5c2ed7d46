#include "tests/stress/call_counts.h"

#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>

namespace troupe {
namespace {

std::atomic<int64_t> waits{0};
std::atomic<int64_t> changes{0};
std::atomic<int64_t> transfers{0};

}  // namespace

CallCounts CountedCalls() { return {waits, changes, transfers}; }

}  // namespace troupe

// In place of the C library's.
extern "C" {

int epoll_wait(int epoll, epoll_event* events, int most, int timeout) {
  const int n =
      syscall(SYS_epoll_pwait, epoll, events, most, timeout, nullptr, 8);
  ++troupe::waits;
  return n;
}

int epoll_ctl(int epoll, int operation, int fd, epoll_event* event) noexcept {
  ++troupe::changes;
  return syscall(SYS_epoll_ctl, epoll, operation, fd, event);
}

ssize_t recv(int fd, void* data, size_t size, int flags) {
  ++troupe::transfers;
  return syscall(SYS_recvfrom, fd, data, size, flags, nullptr, nullptr);
}

ssize_t recvmsg(int fd, msghdr* message, int flags) {
  ++troupe::transfers;
  return syscall(SYS_recvmsg, fd, message, flags);
}

ssize_t send(int fd, const void* data, size_t size, int flags) {
  ++troupe::transfers;
  return syscall(SYS_sendto, fd, data, size, flags, nullptr, 0);
}

ssize_t sendmsg(int fd, const msghdr* message, int flags) {
  ++troupe::transfers;
  return syscall(SYS_sendmsg, fd, message, flags);
}

}  // extern "C"
