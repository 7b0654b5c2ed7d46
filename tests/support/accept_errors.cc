#include "tests/support/accept_errors.h"

#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

namespace troupe {
namespace {

thread_local std::deque<int> planned;

}  // namespace

AcceptErrors::AcceptErrors(std::deque<int> errors) {
  planned = std::move(errors);
}

AcceptErrors::~AcceptErrors() { planned.clear(); }

size_t AcceptErrors::left() const { return planned.size(); }

}  // namespace troupe

// In place of the C library's.
extern "C" int accept4(int fd, sockaddr* address, socklen_t* size, int flags) {
  int error = 0;
  if (!troupe::planned.empty()) {
    error = troupe::planned.front();
    troupe::planned.pop_front();
  }
  if (error == 0) return syscall(SYS_accept4, fd, address, size, flags);
  errno = error;
  return -1;
}
