#include "tests/support/unix_sockets.h"

#include <sys/socket.h>
#include <unistd.h>

#include <string>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"

namespace troupe {

SocketAddress FreshAddress() {
  static int count = 0;
  return *SocketAddress::Unix(
      absl::StrCat(std::string(1, '\0'), "troupe ", getpid(), " ", ++count));
}

OwnedFd NonBlockingSocket(int family) {
  OwnedFd fd(socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  EXPECT_TRUE(fd.valid());
  return fd;
}

OwnedFd ListenAt(const SocketAddress& address, int backlog) {
  OwnedFd fd = NonBlockingSocket(address.data()->sa_family);
  EXPECT_EQ(bind(fd.get(), address.data(), address.size()), 0);
  EXPECT_EQ(listen(fd.get(), backlog), 0);
  return fd;
}

}  // namespace troupe
