// Who is at the other end (row A25).
#include "io/sockets/peer_credentials.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "gtest/gtest.h"
#include "io/os_error.h"
#include "io/owned_fd.h"
#include "io/sockets/socket_address.h"
#include "tests/io/sockets/full_descriptor_table.h"
#include "tests/io/sockets/in_child.h"
#include "tests/support/descriptors.h"
#include "tests/support/leak_check.h"
#include "tests/support/unix_sockets.h"

namespace troupe {
namespace {

constexpr int kPeerPidfd = 77;

// What getsockopt says to the question for a pidfd; 0: what the kernel says.
int pidfd_error = 0;

class PeerCredentialsTest : public LeakCheckedTest {
 protected:
  ~PeerCredentialsTest() override {
    pidfd_error = 0;
    if (child_ > 0) End();
  }

  // A connection to a child that waits for its end.
  OwnedFd ConnectedChild() {
    const SocketAddress address = FreshAddress();
    OwnedFd listener = ListenAt(address);
    child_ = fork();
    if (child_ == 0) {
      BecomeNobody();
      OwnedFd client(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
      if (connect(client.get(), address.data(), address.size()) != 0) _exit(1);
      ReadFully(client, 1);
      _exit(0);
    }
    pollfd set = {listener.get(), POLLIN, 0};
    EXPECT_EQ(poll(&set, 1, /*timeout_ms=*/20000), 1);
    return OwnedFd(accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC));
  }
  // Ends the child, whose connection is closed by then, and reaps it.
  void End() {
    EXPECT_EQ(waitpid(child_, nullptr, 0), child_);
    child_ = -1;
  }
  static int ErrorOf(int fd) {
    auto failure = OsFailureOf(PeerCredentialsOf(fd).status());
    return failure.value_or(OsFailure()).error_number;
  }

  pid_t child_ = -1;
};

TEST_F(PeerCredentialsTest, SaysWhoConnected) {
  OwnedFd connection = ConnectedChild();
  auto peer = PeerCredentialsOf(connection.get());
  ASSERT_TRUE(peer.ok()) << peer.status();
  EXPECT_EQ(peer->pid, child_);
  EXPECT_EQ(peer->uid, geteuid() == 0 ? 65534 : geteuid());
  EXPECT_EQ(peer->gid, geteuid() == 0 ? 65534 : getegid());
}

TEST_F(PeerCredentialsTest, HoldsOnToTheProcessWhereTheKernelCan) {
  OwnedFd connection = ConnectedChild();
  auto peer = PeerCredentialsOf(connection.get());
  ASSERT_TRUE(peer.ok()) << peer.status();
  if (!peer->pidfd.valid()) GTEST_SKIP() << "before Linux 6.5";
  EXPECT_EQ(fcntl(peer->pidfd.get(), F_GETFD), FD_CLOEXEC);
  pollfd set = {peer->pidfd.get(), POLLIN, 0};
  EXPECT_EQ(poll(&set, 1, 0), 0);
  connection.Close();
  EXPECT_EQ(poll(&set, 1, /*timeout_ms=*/20000), 1) << "it has ended";
}

TEST_F(PeerCredentialsTest, SaysWhoConnectedWhenItIsGone) {
  OwnedFd connection = ConnectedChild();
  const pid_t pid = child_;
  ASSERT_EQ(shutdown(connection.get(), SHUT_RDWR), 0);
  End();
  auto peer = PeerCredentialsOf(connection.get());
  ASSERT_TRUE(peer.ok()) << peer.status();
  EXPECT_EQ(peer->pid, pid);
}

TEST_F(PeerCredentialsTest, NeedsNoPidfdFromTheKernel) {
  Ends ends = MakeSocketPair();
  for (int error : {ENOPROTOOPT, EINVAL, ESRCH, ENODATA}) {
    pidfd_error = error;
    auto peer = PeerCredentialsOf(ends.first.get());
    ASSERT_TRUE(peer.ok()) << peer.status();
    EXPECT_FALSE(peer->pidfd.valid());
    EXPECT_EQ(peer->pid, getpid());
  }
  pidfd_error = ENOMEM;
  EXPECT_EQ(ErrorOf(ends.first.get()), ENOMEM);
}

TEST_F(PeerCredentialsTest, SaysThatDescriptorsRanOut) {
  Ends ends = MakeSocketPair();
  if (!PeerCredentialsOf(ends.first.get())->pidfd.valid()) {
    GTEST_SKIP() << "before Linux 6.5";
  }
  absl::Status full;
  {
    FullDescriptorTable table;
    full = PeerCredentialsOf(ends.first.get()).status();
  }
  EXPECT_EQ(full.message(), "SO_PEERPIDFD: Too many open files");
}

TEST_F(PeerCredentialsTest, KnowsTheEndsOfASocketPairOfAnyType) {
  for (int type : {SOCK_STREAM, SOCK_SEQPACKET, SOCK_DGRAM}) {
    Ends ends = MakeSocketPair(type);
    auto peer = PeerCredentialsOf(ends.second.get());
    ASSERT_TRUE(peer.ok()) << peer.status();
    EXPECT_EQ(peer->uid, geteuid());
  }
}

// The kernel gives a listener its own credentials, and the others uid -1.
TEST_F(PeerCredentialsTest, RefusesASocketWithoutAPeer) {
  OwnedFd listener = ListenAt(FreshAddress());
  EXPECT_EQ(ErrorOf(listener.get()), ENOTCONN);
  EXPECT_EQ(ErrorOf(NonBlockingSocket(AF_UNIX).get()), ENOTCONN);
  EXPECT_EQ(ErrorOf(NonBlockingSocket(AF_INET).get()), EOPNOTSUPP);
  EXPECT_EQ(ErrorOf(MakePipe().first.get()), ENOTSOCK);
  EXPECT_EQ(ErrorOf(-1), EBADF);
}

}  // namespace
}  // namespace troupe

// In place of the C library's.
extern "C" int getsockopt(int fd, int level, int option, void* value,
                          socklen_t* size) noexcept {
  if (option == troupe::kPeerPidfd && troupe::pidfd_error != 0) {
    errno = troupe::pidfd_error;
    return -1;
  }
  return syscall(SYS_getsockopt, fd, level, option, value, size);
}
