// Connecting and accepting over a loop (rows FD10, FD11, U24, V41).
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "actors/sock_operations.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "io/sockets/socket_address.h"
#include "io/virtual_clock.h"
#include "tests/support/accept_errors.h"
#include "tests/support/descriptors.h"
#include "tests/support/loop_fixture.h"
#include "tests/support/unix_sockets.h"

namespace troupe {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

// What the next connect fails with, having done nothing.
thread_local int planned_error = 0;

class SockConnectionsTest : public LoopFixture {
 protected:
  SockConnectionsTest()
      : socks_(std::make_unique<SockOperations>(*loop_)),
        address_(FreshAddress()) {}
  ~SockConnectionsTest() override { socks_.reset(); }

  std::function<void(absl::Status)> Connected(std::string name) {
    return [this, name](absl::Status status) {
      told_.push_back(absl::StrCat(
          name, " ", status.ok() ? "ok" : std::string(status.message())));
    };
  }
  std::function<void(absl::StatusOr<AcceptedSocket>)> Accepted() {
    return [this](absl::StatusOr<AcceptedSocket> accepted) {
      told_.push_back(accepted.ok() ? "accepted"
                                    : std::string(accepted.status().message()));
      if (accepted.ok()) accepted_.push_back(*std::move(accepted));
    };
  }
  void RunUntilTold(size_t n) {
    RunUntil([&] { return told_.size() >= n; });
  }

  // Connects until the listener's backlog takes no more.
  std::vector<OwnedFd> FillBacklog() {
    std::vector<OwnedFd> clients;
    for (;;) {
      OwnedFd client = NonBlockingSocket(AF_UNIX);
      if (connect(client.get(), address_.data(), address_.size()) != 0) break;
      clients.push_back(std::move(client));
    }
    return clients;
  }

  // A TCP socket on the loopback interface, and its address.
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

  std::unique_ptr<SockOperations> socks_;
  SocketAddress address_;
  std::vector<AcceptedSocket> accepted_;
};

// Row FD10: an abstract name, passed unchanged.
TEST_F(SockConnectionsTest, ConnectsAndTellsItLater) {
  OwnedFd listener = ListenAt(address_);
  OwnedFd client = NonBlockingSocket(AF_UNIX);
  socks_->Connect(client.get(), address_, Connected("connect"));
  EXPECT_THAT(told_, IsEmpty());
  RunUntilTold(1);
  EXPECT_THAT(told_, ElementsAre("connect ok"));
  OwnedFd peer(accept(listener.get(), nullptr, nullptr));
  EXPECT_TRUE(peer.valid());
}

// Row FD10.
TEST_F(SockConnectionsTest, TellsAnImmediateErrorAsItIs) {
  OwnedFd client = NonBlockingSocket(AF_UNIX);
  socks_->Connect(client.get(), address_, Connected("nobody"));
  socks_->Connect(client.get(), *SocketAddress::Unix("/no/such"),
                  Connected("missing"));
  RunUntilTold(2);
  EXPECT_THAT(
      told_,
      ElementsAre(absl::StrCat("nobody connect \"", address_.ToString(),
                               "\": Connection refused"),
                  "missing connect \"/no/such\": No such file or directory"));
}

// Row FD10.
TEST_F(SockConnectionsTest, TellsALateErrorWithAsynciosText) {
  auto [bound, address] = BoundToLoopback();  // and does not listen
  OwnedFd client = NonBlockingSocket(AF_INET);
  socks_->Connect(client.get(), address, Connected("tcp"));
  RunUntilTold(1);
  EXPECT_THAT(told_, ElementsAre(absl::StrCat("tcp Connect call failed ",
                                              address.ToString(),
                                              ": Connection refused")));
}

// Row FD10.
TEST_F(SockConnectionsTest, WaitsForAConnectionInProgress) {
  auto [listener, address] = BoundToLoopback();
  ASSERT_EQ(listen(listener.get(), 1), 0);
  OwnedFd client = NonBlockingSocket(AF_INET);
  socks_->Connect(client.get(), address, Connected("tcp"));
  socks_->SendAll(client.get(), Bytes("x"), nullptr);  // in line behind it
  RunUntilTold(1);
  EXPECT_THAT(told_, ElementsAre("tcp ok"));
  socks_->Accept(listener.get(), Accepted());
  RunUntilTold(2);
  ASSERT_EQ(accepted_.size(), 1);
  EXPECT_EQ(accepted_[0].peer.path(), "");
  EXPECT_EQ(ReadFully(accepted_[0].fd, 1), "x");
}

// Row U24: asyncio tells success with a socket that is not connected.
TEST_F(SockConnectionsTest, WaitsForRoomInAFullBacklog) {
  OwnedFd listener = ListenAt(address_, 0);
  std::vector<OwnedFd> others = FillBacklog();
  OwnedFd client = NonBlockingSocket(AF_UNIX);
  socks_->Connect(client.get(), address_, Connected("connect"));
  EXPECT_EQ(loop_->Metrics().timers, 1);
  EXPECT_EQ(loop_->Metrics().descriptors, 0);
  ASSERT_TRUE(loop_->RunOnce(/*may_sleep=*/true).ok());  // one more try
  ASSERT_TRUE(loop_->RunOnce().ok());
  EXPECT_THAT(told_, IsEmpty());
  for (size_t i = 0; i < others.size(); ++i) {
    OwnedFd peer(accept(listener.get(), nullptr, nullptr));
  }
  RunUntilTold(1);
  EXPECT_THAT(told_, ElementsAre("connect ok"));
  OwnedFd peer(accept(listener.get(), nullptr, nullptr));
  WriteFully(client, "x");
  EXPECT_EQ(ReadFully(peer, 1), "x");
}

// Rows FD10, U24; a bug of ours: no error was taken for a connection.
TEST_F(SockConnectionsTest, NeverTakesAnUnconnectedSocketForAConnectedOne) {
  OwnedFd listener = ListenAt(address_);
  for (int error : {EINPROGRESS, EINTR}) {
    planned_error = error;
    OwnedFd other = NonBlockingSocket(AF_UNIX);
    socks_->Connect(other.get(), address_, Connected("connect"));
    RunUntilTold(told_.size() + 1);
    EXPECT_EQ(told_.back(), "connect ok");
    OwnedFd peer(accept(listener.get(), nullptr, nullptr));
    WriteFully(other, "x");
    EXPECT_EQ(ReadFully(peer, 1), "x");
  }
}

// Row U24: no event will come, so it asks again; ever less often.
TEST_F(SockConnectionsTest, BacksOffWhileTheBacklogIsFull) {
  VirtualClock clock;
  auto loop = NewLoop(&clock);
  SockOperations socks(*loop);
  OwnedFd listener = ListenAt(address_, 0);
  std::vector<OwnedFd> others = FillBacklog();
  OwnedFd client = NonBlockingSocket(AF_UNIX);
  SockHandle handle = socks.Connect(client.get(), address_, Connected("no"));
  std::vector<int64_t> tried = {0};
  while (tried.size() < 10) {
    ASSERT_TRUE(loop->RunOnce(/*may_sleep=*/true).ok());
    const int64_t now = absl::ToInt64Milliseconds(loop->Time());
    if (now != tried.back()) tried.push_back(now);
  }
  EXPECT_THAT(tried, ElementsAre(0, 1, 3, 7, 15, 31, 63, 127, 227, 327));
  EXPECT_TRUE(handle.Cancel());
  EXPECT_EQ(loop->Metrics().timers, 0);
  EXPECT_THAT(told_, IsEmpty());
}

// Row FD11.
TEST_F(SockConnectionsTest, AcceptsANonBlockingSocketAndSaysWhoItIs) {
  OwnedFd listener = ListenAt(address_);
  socks_->Accept(listener.get(), Accepted());
  socks_->Accept(listener.get(), Accepted());
  EXPECT_THAT(told_, IsEmpty());
  const SocketAddress name = FreshAddress();
  OwnedFd named = NonBlockingSocket(AF_UNIX);
  ASSERT_EQ(bind(named.get(), name.data(), name.size()), 0);
  OwnedFd unbound = NonBlockingSocket(AF_UNIX);
  socks_->Connect(unbound.get(), address_, nullptr);
  socks_->Connect(named.get(), address_, nullptr);
  RunUntilTold(2);
  ASSERT_EQ(accepted_.size(), 2);
  EXPECT_EQ(accepted_[0].peer.path(), "");
  EXPECT_EQ(accepted_[1].peer.path(), name.path());
  EXPECT_TRUE(IsNonBlocking(accepted_[0].fd));
  EXPECT_TRUE(fcntl(accepted_[0].fd.get(), F_GETFD) & FD_CLOEXEC);
}

// Row V41.
TEST_F(SockConnectionsTest, PassesOverAConnectionThatWasGivenUp) {
  OwnedFd listener = ListenAt(address_);
  OwnedFd client = NonBlockingSocket(AF_UNIX);
  AcceptErrors errors({ECONNABORTED, EINTR, ECONNABORTED});
  socks_->Connect(client.get(), address_, nullptr);
  socks_->Accept(listener.get(), Accepted());
  RunUntilTold(1);
  EXPECT_THAT(told_, ElementsAre("accepted"));
  EXPECT_EQ(errors.left(), 0);
}

// Row FD11; a server waits for better times: acceptor.h.
TEST_F(SockConnectionsTest, TellsThatDescriptorsRanOut) {
  OwnedFd listener = ListenAt(address_);
  AcceptErrors errors({EMFILE});
  socks_->Accept(listener.get(), Accepted());
  RunUntilTold(1);
  EXPECT_THAT(told_, ElementsAre("accept: Too many open files"));
}

TEST_F(SockConnectionsTest, ClosesWhatNobodyIsToldOf) {
  OwnedFd listener = ListenAt(address_);
  OwnedFd client = NonBlockingSocket(AF_UNIX);
  socks_->Connect(client.get(), address_, nullptr);
  socks_->Accept(listener.get(), Accepted());
  socks_.reset();
  loop_->CallSoon([&] { loop_->Stop(); });
  Run();
  EXPECT_THAT(told_, IsEmpty());
  WaitForHangUp(client);
}

}  // namespace

int TakePlannedError() { return std::exchange(planned_error, 0); }

}  // namespace troupe

// In place of the C library's.
extern "C" int connect(int fd, const sockaddr* address, socklen_t size) {
  const int error = troupe::TakePlannedError();
  if (error == 0) return syscall(SYS_connect, fd, address, size);
  errno = error;
  return -1;
}
