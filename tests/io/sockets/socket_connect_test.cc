// Connecting in steps (rows U22, U23, U24, V53, A21).
#include "io/sockets/socket_connect.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include <cerrno>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "io/os_error.h"
#include "io/owned_fd.h"
#include "io/sockets/socket_address.h"
#include "tests/io/sockets/full_descriptor_table.h"
#include "tests/io/sockets/socket_folder.h"
#include "tests/support/descriptors.h"
#include "tests/support/unix_sockets.h"

namespace troupe {
namespace {

class SocketConnectTest : public SocketFolderTest {
 protected:
  static std::string Refusal(const SocketAddress& address,
                             SocketType type = SocketType::kStream) {
    const absl::Status status = StartConnect(address, type).status();
    EXPECT_TRUE(OsFailureOf(status).has_value()) << status;
    return std::string(status.message());
  }
  std::string Quoted(const std::string& name) {
    return absl::StrCat("connect \"", Path(name), "\": ");
  }

  // A TCP socket that is bound to the loopback interface.
  static std::pair<OwnedFd, SocketAddress> BoundToLoopback() {
    OwnedFd fd = NonBlockingSocket(AF_INET);
    sockaddr_in any = {};
    any.sin_family = AF_INET;
    any.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    auto* name = reinterpret_cast<sockaddr*>(&any);
    socklen_t size = sizeof any;
    EXPECT_EQ(bind(fd.get(), name, size), 0);
    EXPECT_EQ(getsockname(fd.get(), name, &size), 0);
    return {std::move(fd), SocketAddress::From(name, size)};
  }
  static bool WaitUntilWritable(const OwnedFd& fd) {
    pollfd set = {fd.get(), POLLOUT, 0};
    return poll(&set, 1, /*timeout_ms=*/20000) == 1;
  }
};

TEST_F(SocketConnectTest, ConnectsToAPathAndToAnAbstractName) {
  for (const SocketAddress& address : {Address("socket"), FreshAddress()}) {
    OwnedFd listener = ListenAt(address);
    auto attempt = StartConnect(address);
    ASSERT_TRUE(attempt.ok()) << attempt.status();
    EXPECT_EQ(attempt->state, ConnectState::kConnected);
    EXPECT_TRUE(IsNonBlocking(attempt->fd));
    EXPECT_EQ(fcntl(attempt->fd.get(), F_GETFD), FD_CLOEXEC);
    OwnedFd peer(accept(listener.get(), nullptr, nullptr));
    WriteFully(attempt->fd, "hello");
    EXPECT_EQ(ReadFully(peer, 5), "hello");
  }
}

// Row A25.
TEST_F(SocketConnectTest, ConnectsSocketsOfMessages) {
  const SocketAddress address = FreshAddress();
  OwnedFd listener(socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0));
  ASSERT_EQ(bind(listener.get(), address.data(), address.size()), 0);
  ASSERT_EQ(listen(listener.get(), 1), 0);
  auto attempt = StartConnect(address, SocketType::kSeqpacket);
  ASSERT_TRUE(attempt.ok()) << attempt.status();
  EXPECT_EQ(attempt->state, ConnectState::kConnected);
  EXPECT_TRUE(CheckUnixSocket(attempt->fd.get(), SocketType::kSeqpacket).ok());
}

// Row U22. That nothing stays open is the fixture's check.
TEST_F(SocketConnectTest, SaysWhyNobodyAnswersAtAPath) {
  EXPECT_EQ(Refusal(Address("missing")),
            Quoted("missing") + "No such file or directory");
  OwnedFd file(open(Path("file").c_str(), O_CREAT | O_RDWR | O_CLOEXEC, 0600));
  EXPECT_EQ(Refusal(Address("file")), Quoted("file") + "Connection refused");
  LeaveStale("stale");
  EXPECT_EQ(Refusal(Address("stale")), Quoted("stale") + "Connection refused");
  OwnedFd bound = NonBlockingSocket(AF_UNIX);
  const SocketAddress address = Address("bound");
  ASSERT_EQ(bind(bound.get(), address.data(), address.size()), 0);
  EXPECT_EQ(Refusal(address), Quoted("bound") + "Connection refused");
  EXPECT_EQ(Refusal(address, SocketType::kSeqpacket),
            Quoted("bound") + "Protocol wrong type for socket");
}

// Row U22.
TEST_F(SocketConnectTest, RefusesTheEmptyPath) {
  EXPECT_EQ(Refusal(*SocketAddress::Unix("")), "connect: Invalid argument");
}

TEST_F(SocketConnectTest, SaysThatDescriptorsRanOut) {
  OwnedFd listener = ListenAt(Address("socket"));
  absl::Status full;
  {
    FullDescriptorTable table;
    full = StartConnect(Address("socket")).status();
  }
  EXPECT_EQ(full.message(), absl::StrCat("socket \"", Path("socket"),
                                         "\": Too many open files"));
}

// Rows U24, V53, A21: a success with an unconnected socket in asyncio.
TEST_F(SocketConnectTest, TriesAgainWhileTheBacklogIsFull) {
  const SocketAddress address = FreshAddress();
  OwnedFd listener = ListenAt(address, 0);
  std::vector<OwnedFd> waiting = FillBacklog(address);
  auto attempt = StartConnect(address);
  ASSERT_TRUE(attempt.ok()) << attempt.status();
  EXPECT_EQ(attempt->state, ConnectState::kTryAgain);
  const int fd = attempt->fd.get();
  EXPECT_EQ(*ContinueConnect(fd, address), ConnectState::kTryAgain);

  OwnedFd first(accept(listener.get(), nullptr, nullptr));
  EXPECT_EQ(*ContinueConnect(fd, address), ConnectState::kConnected);
  OwnedFd peer(accept(listener.get(), nullptr, nullptr));
  WriteFully(attempt->fd, "hello");
  EXPECT_EQ(ReadFully(peer, 5), "hello");
}

// Rows U24, V53.
TEST_F(SocketConnectTest, NeverTakesAnUnconnectedSocketForAConnectedOne) {
  const SocketAddress address = FreshAddress();
  OwnedFd listener = ListenAt(address, 0);
  std::vector<OwnedFd> waiting = FillBacklog(address);
  auto attempt = StartConnect(address);
  ASSERT_TRUE(attempt.ok()) << attempt.status();
  EXPECT_TRUE(WaitUntilWritable(attempt->fd));  // and SO_ERROR says nothing
  EXPECT_EQ(*FinishConnect(attempt->fd.get(), address),
            ConnectState::kTryAgain);
}

TEST_F(SocketConnectTest, SaysThatTheServerWentAwayWhileTryingAgain) {
  const SocketAddress address = FreshAddress();
  OwnedFd listener = ListenAt(address, 0);
  std::vector<OwnedFd> waiting = FillBacklog(address);
  auto attempt = StartConnect(address);
  ASSERT_TRUE(attempt.ok()) << attempt.status();
  listener.Close();
  const absl::Status gone =
      ContinueConnect(attempt->fd.get(), address).status();
  EXPECT_EQ(OsFailureOf(gone)->error_number, ECONNREFUSED);
}

TEST_F(SocketConnectTest, FinishesWhatWasInProgress) {
  auto [listener, address] = BoundToLoopback();
  ASSERT_EQ(listen(listener.get(), 1), 0);
  auto attempt = StartConnect(address);
  ASSERT_TRUE(attempt.ok()) << attempt.status();
  ASSERT_EQ(attempt->state, ConnectState::kInProgress);
  ASSERT_TRUE(WaitUntilWritable(attempt->fd));
  EXPECT_EQ(*FinishConnect(attempt->fd.get(), address),
            ConnectState::kConnected);
}

TEST_F(SocketConnectTest, SaysWhyWhatWasInProgressFailed) {
  auto [bound, address] = BoundToLoopback();  // and does not listen
  auto attempt = StartConnect(address);
  ASSERT_TRUE(attempt.ok()) << attempt.status();
  ASSERT_EQ(attempt->state, ConnectState::kInProgress);
  ASSERT_TRUE(WaitUntilWritable(attempt->fd));
  const int fd = attempt->fd.get();
  EXPECT_EQ(
      FinishConnect(fd, address).status().message(),
      absl::StrCat("connect \"", address.ToString(), "\": Connection refused"));
  // The kernel tells an error once; asked again it is no success.
  EXPECT_EQ(OsFailureOf(FinishConnect(fd, address).status())->error_number,
            ENOTCONN);
}

TEST_F(SocketConnectTest, StaysInProgressWhenAskedTooEarly) {
  auto [listener, address] = BoundToLoopback();
  ASSERT_EQ(listen(listener.get(), 0), 0);
  std::vector<OwnedFd> clients;  // the last one is not let in
  for (int i = 0; i < 4; ++i) {
    auto attempt = StartConnect(address);
    ASSERT_TRUE(attempt.ok()) << attempt.status();
    clients.push_back(std::move(attempt->fd));
  }
  const int last = clients.back().get();
  EXPECT_EQ(*FinishConnect(last, address), ConnectState::kInProgress);
  EXPECT_EQ(*ContinueConnect(last, address), ConnectState::kInProgress);
}

// Row U22.
TEST_F(SocketConnectTest, RefusesADescriptorThatIsNotOpen) {
  const SocketAddress address = FreshAddress();
  EXPECT_EQ(OsFailureOf(ContinueConnect(-1, address).status())->error_number,
            EBADF);
  EXPECT_EQ(OsFailureOf(FinishConnect(-1, address).status())->error_number,
            EBADF);
  EXPECT_EQ(OsFailureOf(AdoptConnected(OwnedFd()).status())->error_number,
            EBADF);
}

// Row U23.
TEST_F(SocketConnectTest, AdoptsASocketThatIsConnected) {
  Ends ends = MakeSocketPair();
  auto adopted = AdoptConnected(std::move(ends.first));
  ASSERT_TRUE(adopted.ok()) << adopted.status();
  EXPECT_TRUE(IsNonBlocking(*adopted));
  Ends messages = MakeSocketPair(SOCK_SEQPACKET);
  EXPECT_TRUE(
      AdoptConnected(std::move(messages.first), SocketType::kSeqpacket).ok());
}

// Row U24: asyncio tells the loss of a connection that never was.
TEST_F(SocketConnectTest, ClosesAGivenSocketWithoutAPeer) {
  OwnedFd given = NonBlockingSocket(AF_UNIX);
  const int number = given.get();
  EXPECT_EQ(AdoptConnected(std::move(given)).status().message(),
            "getpeername: Transport endpoint is not connected");
  EXPECT_FALSE(IsOpen(number));
}

// Row U21.
TEST_F(SocketConnectTest, RefusesAGivenSocketOfAnotherTypeWithAsynciosText) {
  Ends ends = MakeSocketPair(SOCK_SEQPACKET);
  const int number = ends.first.get();
  EXPECT_EQ(AdoptConnected(std::move(ends.first)).status().message(),
            absl::StrCat("A UNIX Domain Stream Socket was expected, got <fd ",
                         number, ", AF_UNIX, SOCK_SEQPACKET>"));
  EXPECT_FALSE(IsOpen(number));
}

}  // namespace
}  // namespace troupe
