#include "tests/benchmarks/limit/limit_echo.h"

#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdlib>

namespace troupe {

LimitEcho::LimitEcho(const std::vector<int>& sockets)
    : epoll_(epoll_create1(EPOLL_CLOEXEC)),
      open_(sockets.size()),
      room_(64 * 1024) {
  for (int fd : sockets) {
    epoll_event event = {EPOLLIN, {.fd = fd}};
    epoll_ctl(epoll_, EPOLL_CTL_ADD, fd, &event);
  }
}

LimitEcho::~LimitEcho() { close(epoll_); }

void LimitEcho::Run() {
  while (open_ > 0) {
    epoll_event events[256];
    const int ready = epoll_wait(epoll_, events, 256, -1);
    for (int i = 0; i < ready; ++i) {
      if (Serve(events[i].data.fd)) continue;
      close(events[i].data.fd);
      --open_;
    }
  }
}

// False at the end. The peer takes all it is sent before it sends more.
bool LimitEcho::Serve(int fd) {
  const ssize_t got = recv(fd, room_.data(), room_.size(), MSG_DONTWAIT);
  if (got <= 0) return false;
  if (send(fd, room_.data(), got, MSG_NOSIGNAL) != got) abort();
  return true;
}

}  // namespace troupe
