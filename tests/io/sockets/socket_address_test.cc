// Addresses of sockets as the kernel takes and gives them.
#include "io/sockets/socket_address.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdlib>
#include <string>

#include "absl/strings/string_view.h"
#include "gtest/gtest.h"
#include "io/owned_fd.h"
#include "tests/support/leak_check.h"

namespace troupe {
namespace {

class SocketAddressTest : public LeakCheckedTest {
 protected:
  // The name of a socket that was bound to `address`.
  static SocketAddress Bound(const SocketAddress& address) {
    OwnedFd fd(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    EXPECT_EQ(bind(fd.get(), address.data(), address.size()), 0);
    return NameOf(fd);
  }
  static SocketAddress NameOf(const OwnedFd& fd) {
    sockaddr_storage storage;
    socklen_t size = sizeof storage;
    auto* name = reinterpret_cast<sockaddr*>(&storage);
    EXPECT_EQ(getsockname(fd.get(), name, &size), 0);
    return SocketAddress::From(name, size);
  }
};

// Row FD10.
TEST_F(SocketAddressTest, PassesAPathUnchanged) {
  char folder[] = "/tmp/troupe.XXXXXX";
  ASSERT_NE(mkdtemp(folder), nullptr);
  const std::string path = std::string(folder) + "/socket";
  auto address = SocketAddress::Unix(path);
  ASSERT_TRUE(address.ok());
  EXPECT_EQ(Bound(*address).path(), path);
  EXPECT_EQ(address->ToString(), path);
  EXPECT_EQ(unlink(path.c_str()), 0);
  EXPECT_EQ(rmdir(folder), 0);
}

// Row FD10.
TEST_F(SocketAddressTest, PassesAnAbstractNameWithItsNuls) {
  const std::string name = std::string(1, '\0') + "troupe " +
                           std::to_string(getpid()) + std::string(1, '\0') +
                           "x";
  auto address = SocketAddress::Unix(name);
  ASSERT_TRUE(address.ok());
  EXPECT_EQ(Bound(*address).path(), name);
  EXPECT_EQ(address->ToString()[0], '@');
}

// Row FD11.
TEST_F(SocketAddressTest, IsEmptyForAnUnboundSocket) {
  OwnedFd fd(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  EXPECT_EQ(NameOf(fd).path(), "");
  EXPECT_EQ(NameOf(fd).ToString(), "");
  EXPECT_EQ(SocketAddress().path(), "");
}

// Row U7.
TEST_F(SocketAddressTest, RefusesAPathThatIsTooLong) {
  EXPECT_EQ(SocketAddress::Unix(std::string(107, 'x'))->path(),
            std::string(107, 'x'));
  EXPECT_EQ(SocketAddress::Unix(std::string(108, 'x')).status(),
            absl::InvalidArgumentError("AF_UNIX path too long"));
  EXPECT_TRUE(SocketAddress::Unix(std::string(108, '\0')).ok());
  EXPECT_FALSE(SocketAddress::Unix(std::string(109, '\0')).ok());
}

// Row FD10: as in the text of a failed connect.
TEST_F(SocketAddressTest, WritesHostsAsAsyncioDoes) {
  sockaddr_in four = {};
  four.sin_family = AF_INET;
  four.sin_port = htons(80);
  four.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  EXPECT_EQ(SocketAddress::From(reinterpret_cast<sockaddr*>(&four), sizeof four)
                .ToString(),
            "('127.0.0.1', 80)");
  sockaddr_in6 six = {};
  six.sin6_family = AF_INET6;
  six.sin6_port = htons(443);
  six.sin6_addr = in6addr_loopback;
  EXPECT_EQ(SocketAddress::From(reinterpret_cast<sockaddr*>(&six), sizeof six)
                .ToString(),
            "('::1', 443, 0, 0)");
}

}  // namespace
}  // namespace troupe
