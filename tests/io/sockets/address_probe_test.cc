// Whether anybody is bound to an address (row V49).
#include "io/sockets/address_probe.h"

#include <sys/socket.h>
#include <sys/stat.h>

#include <cerrno>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "gtest/gtest.h"
#include "io/os_error.h"
#include "io/owned_fd.h"
#include "io/sockets/socket_address.h"
#include "tests/io/sockets/full_descriptor_table.h"
#include "tests/io/sockets/in_child.h"
#include "tests/io/sockets/socket_folder.h"
#include "tests/support/unix_sockets.h"

namespace troupe {
namespace {

class AddressProbeTest : public SocketFolderTest {
 protected:
  static OwnedFd BindTo(const SocketAddress& address, int type) {
    OwnedFd fd(socket(AF_UNIX, type | SOCK_CLOEXEC, 0));
    EXPECT_EQ(bind(fd.get(), address.data(), address.size()), 0);
    return fd;
  }
};

TEST_F(AddressProbeTest, SeesABoundSocketOfAnyType) {
  for (int type : {SOCK_STREAM, SOCK_SEQPACKET, SOCK_DGRAM}) {
    const SocketAddress address = Address("type" + std::to_string(type));
    OwnedFd fd = BindTo(address, type);
    EXPECT_EQ(*IsBound(address), true) << "type " << type;
    fd.Close();
    EXPECT_EQ(*IsBound(address), false) << "type " << type;
  }
}

TEST_F(AddressProbeTest, IsNotSeenByTheServer) {
  const SocketAddress address = Address("socket");
  OwnedFd listener = ListenAt(address);
  EXPECT_EQ(*IsBound(address), true);
  EXPECT_EQ(accept(listener.get(), nullptr, nullptr), -1);
  EXPECT_EQ(errno, EAGAIN);
}

TEST_F(AddressProbeTest, SeesAServerWhoseBacklogIsFull) {
  const SocketAddress address = Address("socket");
  OwnedFd listener = ListenAt(address, 0);
  std::vector<OwnedFd> waiting = FillBacklog(address);
  EXPECT_EQ(*IsBound(address), true);
}

TEST_F(AddressProbeTest, SeesADatagramSocketThatListensToAnother) {
  const SocketAddress one = Address("one"), two = Address("two");
  OwnedFd first = BindTo(one, SOCK_DGRAM), second = BindTo(two, SOCK_DGRAM);
  ASSERT_EQ(connect(first.get(), two.data(), two.size()), 0);
  EXPECT_EQ(*IsBound(one), true);
}

TEST_F(AddressProbeTest, SeesNobodyAtAMissingPath) {
  EXPECT_EQ(*IsBound(Address("missing")), false);
}

TEST_F(AddressProbeTest, SaysThatItMayNotAsk) {
  ASSERT_EQ(chmod(folder().c_str(), 0755), 0);
  OwnedFd listener = ListenAt(Address("socket"));
  ASSERT_EQ(chmod(Path("socket").c_str(), 0), 0);
  EXPECT_EQ(InChild([&] {
              BecomeNobody();
              return ErrnoText(OsFailureOf(IsBound(Address("socket")).status())
                                   .value_or(OsFailure())
                                   .error_number);
            }),
            "Permission denied");
}

TEST_F(AddressProbeTest, SaysThatDescriptorsRanOut) {
  LeaveStale("socket");
  absl::Status full;
  {
    FullDescriptorTable table;
    full = IsBound(Address("socket")).status();
  }
  EXPECT_EQ(OsFailureOf(full)->error_number, EMFILE);
}

}  // namespace
}  // namespace troupe
