#include "tests/io/sockets/call_faults.h"

#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <cstdarg>

namespace troupe {
namespace {

std::atomic<int> left{0};  // 0: no fault
std::atomic<int> kind{CallFault::kNoRoom};
std::atomic<const char*> failed{nullptr};

// Whether this call is the one; errno says why then. 0: it cannot fail so.
bool Fails(const char* call, int no_room, int peer_gone, int interrupted) {
  if (left.load() == 0) return false;
  const int error = std::array{no_room, peer_gone, interrupted}[kind];
  if (error == 0 || left.fetch_sub(1) != 1) return false;
  failed = call;
  errno = error;
  return true;
}

// What a call on the connection `fd` is told when the peer is gone is so for
// both from then on.
bool FailsOn(int fd, const char* call, int no_room, int peer_gone) {
  if (!Fails(call, no_room, peer_gone, EINTR)) return false;
  const int error = errno;
  if (kind == CallFault::kPeerGone) syscall(SYS_shutdown, fd, SHUT_RDWR);
  errno = error;
  return true;
}

}  // namespace

CallFault::CallFault(int nth, Kind of) {
  failed = nullptr;
  kind = of;
  left = nth;
}

CallFault::~CallFault() { left = 0; }

std::string CallFault::call() const {
  const char* name = failed;
  return name == nullptr ? "" : name;
}

}  // namespace troupe

// In place of the C library's.
extern "C" {

int epoll_create1(int flags) noexcept {
  if (troupe::Fails("epoll_create1", EMFILE, 0, 0)) return -1;
  return syscall(SYS_epoll_create1, flags);
}

int eventfd(unsigned value, int flags) noexcept {
  if (troupe::Fails("eventfd", EMFILE, 0, 0)) return -1;
  return syscall(SYS_eventfd2, value, flags);
}

int timerfd_create(clockid_t clock, int flags) noexcept {
  if (troupe::Fails("timerfd_create", EMFILE, 0, 0)) return -1;
  return syscall(SYS_timerfd_create, clock, flags);
}

int epoll_ctl(int epoll, int operation, int fd, epoll_event* event) noexcept {
  // What is registered can be changed and removed: no memory is needed.
  if (operation == EPOLL_CTL_ADD && troupe::Fails("epoll_ctl", ENOSPC, 0, 0)) {
    return -1;
  }
  return syscall(SYS_epoll_ctl, epoll, operation, fd, event);
}

int epoll_wait(int epoll, epoll_event* events, int most, int timeout) {
  if (troupe::Fails("epoll_wait", 0, 0, EINTR)) return -1;
  return syscall(SYS_epoll_pwait, epoll, events, most, timeout, nullptr, 8);
}

int open(const char* path, int flags, ...) {
  if (troupe::Fails("open", EMFILE, 0, EINTR)) return -1;
  va_list rest;
  va_start(rest, flags);
  const int mode = va_arg(rest, int);
  va_end(rest);
  return syscall(SYS_openat, AT_FDCWD, path, flags, mode);
}

int socket(int family, int type, int protocol) noexcept {
  if (troupe::Fails("socket", EMFILE, 0, 0)) return -1;
  return syscall(SYS_socket, family, type, protocol);
}

int bind(int fd, const sockaddr* address, socklen_t size) noexcept {
  if (troupe::Fails("bind", ENOMEM, 0, 0)) return -1;
  return syscall(SYS_bind, fd, address, size);
}

int listen(int fd, int backlog) noexcept {
  if (troupe::Fails("listen", ENOBUFS, 0, 0)) return -1;
  return syscall(SYS_listen, fd, backlog);
}

int connect(int fd, const sockaddr* address, socklen_t size) {
  if (troupe::Fails("connect", ENOMEM, ECONNREFUSED, EINTR)) return -1;
  return syscall(SYS_connect, fd, address, size);
}

int accept4(int fd, sockaddr* address, socklen_t* size, int flags) {
  if (troupe::Fails("accept4", EMFILE, ECONNABORTED, EINTR)) return -1;
  return syscall(SYS_accept4, fd, address, size, flags);
}

ssize_t recv(int fd, void* data, size_t size, int flags) {
  if (troupe::FailsOn(fd, "recv", ENOMEM, ECONNRESET)) return -1;
  return syscall(SYS_recvfrom, fd, data, size, flags, nullptr, nullptr);
}

ssize_t recvmsg(int fd, msghdr* message, int flags) {
  if (troupe::FailsOn(fd, "recvmsg", ENOMEM, ECONNRESET)) return -1;
  return syscall(SYS_recvmsg, fd, message, flags);
}

ssize_t send(int fd, const void* data, size_t size, int flags) {
  if (troupe::FailsOn(fd, "send", ENOBUFS, EPIPE)) return -1;
  return syscall(SYS_sendto, fd, data, size, flags, nullptr, 0);
}

ssize_t sendmsg(int fd, const msghdr* message, int flags) {
  if (troupe::FailsOn(fd, "sendmsg", ENOBUFS, EPIPE)) return -1;
  return syscall(SYS_sendmsg, fd, message, flags);
}

}  // extern "C"
