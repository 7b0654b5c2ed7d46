// Sockets by type (rows U1, U23).
#include "io/sockets/socket_type.h"

#include <fcntl.h>
#include <sys/socket.h>

#include <cerrno>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "io/os_error.h"
#include "io/owned_fd.h"
#include "tests/io/sockets/full_descriptor_table.h"
#include "tests/support/descriptors.h"
#include "tests/support/leak_check.h"

namespace troupe {
namespace {

class SocketTypeTest : public LeakCheckedTest {
 protected:
  static OwnedFd Socket(int family, int type) {
    OwnedFd fd(socket(family, type, 0));
    EXPECT_TRUE(fd.valid());
    return fd;
  }
  static std::string Refusal(const OwnedFd& fd, SocketType type) {
    const absl::Status status = CheckUnixSocket(fd.get(), type);
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
    return std::string(status.message());
  }
};

TEST_F(SocketTypeTest, OpensNonBlockingSocketsThatNoProgramInherits) {
  for (SocketType type :
       {SocketType::kStream, SocketType::kSeqpacket, SocketType::kDatagram}) {
    auto fd = OpenSocket(AF_UNIX, type);
    ASSERT_TRUE(fd.ok()) << fd.status();
    EXPECT_TRUE(IsNonBlocking(*fd));
    EXPECT_EQ(fcntl(fd->get(), F_GETFD), FD_CLOEXEC);
    EXPECT_TRUE(CheckUnixSocket(fd->get(), type).ok());
  }
}

TEST_F(SocketTypeTest, SaysWhatForWhenNoneCanBeHad) {
  absl::Status full;
  {
    FullDescriptorTable table;
    full = OpenSocket(AF_UNIX, SocketType::kStream, "/run/app.sock").status();
  }
  EXPECT_EQ(full.message(), "socket \"/run/app.sock\": Too many open files");
}

// Row U1: the type is without the flags beside it.
TEST_F(SocketTypeTest, TakesAStreamSocketWhateverItsFlags) {
  EXPECT_TRUE(
      CheckUnixSocket(Socket(AF_UNIX, SOCK_STREAM).get(), SocketType::kStream)
          .ok());
  EXPECT_TRUE(
      CheckUnixSocket(Socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK).get(),
                      SocketType::kStream)
          .ok());
}

// Row U1.
TEST_F(SocketTypeTest, RefusesAnyOtherWithAsynciosText) {
  OwnedFd tcp = Socket(AF_INET, SOCK_STREAM);
  EXPECT_EQ(Refusal(tcp, SocketType::kStream),
            absl::StrCat("A UNIX Domain Stream Socket was expected, got <fd ",
                         tcp.get(), ", AF_INET, SOCK_STREAM>"));
  OwnedFd datagram = Socket(AF_UNIX, SOCK_DGRAM);
  EXPECT_EQ(Refusal(datagram, SocketType::kStream),
            absl::StrCat("A UNIX Domain Stream Socket was expected, got <fd ",
                         datagram.get(), ", AF_UNIX, SOCK_DGRAM>"));
  OwnedFd stream = Socket(AF_UNIX, SOCK_STREAM);
  EXPECT_EQ(Refusal(stream, SocketType::kSeqpacket),
            absl::StrCat("A UNIX Domain Sequenced-Packet Socket was expected, "
                         "got <fd ",
                         stream.get(), ", AF_UNIX, SOCK_STREAM>"));
  OwnedFd file = MakeFile("", O_RDONLY);
  EXPECT_EQ(Refusal(file, SocketType::kDatagram),
            absl::StrCat("A UNIX Domain Datagram Socket was expected, got <fd ",
                         file.get(), ", not a socket>"));
}

// Row U22.
TEST_F(SocketTypeTest, SaysThatADescriptorIsNotOpen) {
  const absl::Status status = CheckUnixSocket(-1, SocketType::kStream);
  EXPECT_EQ(OsFailureOf(status)->error_number, EBADF);
}

// Row U23.
TEST_F(SocketTypeTest, PreparesAGivenSocketForALoop) {
  OwnedFd fd = Socket(AF_UNIX, SOCK_STREAM);
  ASSERT_TRUE(PrepareUnixSocket(fd.get(), SocketType::kStream).ok());
  EXPECT_TRUE(IsNonBlocking(fd));
  EXPECT_EQ(fcntl(fd.get(), F_GETFD), FD_CLOEXEC);
}

TEST_F(SocketTypeTest, LeavesASocketThatItRefusesAsItIs) {
  OwnedFd fd = Socket(AF_INET, SOCK_STREAM);
  EXPECT_FALSE(PrepareUnixSocket(fd.get(), SocketType::kStream).ok());
  EXPECT_FALSE(IsNonBlocking(fd));
  EXPECT_EQ(fcntl(fd.get(), F_GETFD), 0);
}

}  // namespace
}  // namespace troupe
