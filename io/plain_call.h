// The system calls of every message, without what glibc puts around those at
// which pthread_cancel may end a thread: in a program with threads two atomic
// operations and two calls for each. No thread of an I/O host is ever
// cancelled. Results and errno are the wrappers' of the same name.
#ifndef TROUPE_IO_PLAIN_CALL_H_
#define TROUPE_IO_PLAIN_CALL_H_

#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstddef>

namespace troupe {

inline ssize_t PlainReceive(int fd, msghdr* message, int flags) {
  return syscall(SYS_recvmsg, fd, message, flags);
}

inline ssize_t PlainSend(int fd, const void* data, size_t size, int flags) {
  return syscall(SYS_sendto, fd, data, size, flags, nullptr, 0);
}

// No signal mask: epoll_wait, which some machines' kernels have as this only.
inline int PlainWait(int epoll, epoll_event* events, int room, int timeout_ms) {
  return syscall(SYS_epoll_pwait, epoll, events, room, timeout_ms, nullptr, 0);
}

}  // namespace troupe

#endif  // TROUPE_IO_PLAIN_CALL_H_
