// Listening UNIX sockets, bound and given (rows U1, U7 to U9, U11, U12, U18,
// V47 to V49, A20, A25).
#include "io/sockets/unix_listener.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "io/os_error.h"
#include "io/owned_fd.h"
#include "io/sockets/socket_address.h"
#include "io/sockets/socket_connect.h"
#include "io/sockets/socket_type.h"
#include "tests/io/sockets/call_hook.h"
#include "tests/io/sockets/in_child.h"
#include "tests/io/sockets/socket_folder.h"
#include "tests/support/descriptors.h"
#include "tests/support/unix_sockets.h"

namespace troupe {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class UnixListenerTest : public SocketFolderTest {
 protected:
  ListenOptions At(const std::string& name) { return {.path = Path(name)}; }
  static UnixListener Bound(const ListenOptions& options) {
    auto listener = UnixListener::Bind(options);
    EXPECT_TRUE(listener.ok()) << listener.status();
    return listener.ok() ? *std::move(listener) : UnixListener();
  }
  static UnixListener Listening(const ListenOptions& options) {
    UnixListener listener = Bound(options);
    EXPECT_TRUE(listener.Listen().ok());
    return listener;
  }
  static absl::Status Refused(const ListenOptions& options) {
    return UnixListener::Bind(options).status();
  }
  // 0 when it is connected, else errno.
  static int Connect(const SocketAddress& address,
                     SocketType type = SocketType::kStream) {
    auto attempt = StartConnect(address, type);
    if (!attempt.ok()) return OsFailureOf(attempt.status())->error_number;
    return attempt->state == ConnectState::kConnected ? 0 : EAGAIN;
  }
};

// Row U12.
TEST_F(UnixListenerTest, RefusesClientsUntilItListens) {
  UnixListener listener = Bound(At("socket"));
  EXPECT_FALSE(listener.listening());
  EXPECT_EQ(Connect(Address("socket")), ECONNREFUSED);
  EXPECT_TRUE(listener.Listen().ok());
  EXPECT_TRUE(listener.listening());
  EXPECT_EQ(Connect(Address("socket")), 0);
  EXPECT_TRUE(listener.Listen().ok());
  EXPECT_EQ(listener.address().path(), Path("socket"));
}

TEST_F(UnixListenerTest, IsNonBlockingAndInheritedByNoProgram) {
  UnixListener listener = Bound(At("socket"));
  EXPECT_NE(fcntl(listener.fd(), F_GETFL) & O_NONBLOCK, 0);
  EXPECT_EQ(fcntl(listener.fd(), F_GETFD), FD_CLOEXEC);
}

// Row U11: the kernel lets one more in.
TEST_F(UnixListenerTest, LetsAsManyWaitAsItsBacklogSays) {
  ListenOptions options = At("few");
  options.backlog = 3;
  UnixListener few = Listening(options);
  EXPECT_EQ(FillBacklog(few.address()).size(), 4u);
  UnixListener usual = Listening(At("usual"));
  EXPECT_EQ(usual.backlog(), 100);
  EXPECT_EQ(FillBacklog(usual.address()).size(), 101u);
}

// Row A25.
TEST_F(UnixListenerTest, ListensForConnectionsOfMessages) {
  ListenOptions options = At("socket");
  options.type = SocketType::kSeqpacket;
  UnixListener listener = Listening(options);
  EXPECT_EQ(Connect(Address("socket"), SocketType::kSeqpacket), 0);
  EXPECT_EQ(Connect(Address("socket")), EPROTOTYPE);
}

// Row U9.
TEST_F(UnixListenerTest, ListensAtAnAbstractNameThatHasNoFile) {
  const SocketAddress address = FreshAddress();
  UnixListener listener = Listening({.path = address.path()});
  EXPECT_EQ(Connect(address), 0);
  EXPECT_EQ(Refused({.path = address.path()}).code(),
            absl::StatusCode::kAlreadyExists);
  EXPECT_TRUE(listener.Close().ok());
  EXPECT_EQ(Connect(address), ECONNREFUSED);
}

// Row U8 (an IndexError and a leak in asyncio) and what else has no meaning.
TEST_F(UnixListenerTest, RefusesWhatOptionsCannotMean) {
  EXPECT_EQ(Refused({}), absl::InvalidArgumentError("empty path"));
  EXPECT_EQ(Refused({.path = Path("socket"), .type = SocketType::kDatagram}),
            absl::InvalidArgumentError("a datagram socket does not listen"));
  EXPECT_EQ(Refused({.path = Path("socket"), .mode = 04755}),
            absl::InvalidArgumentError("not the mode of a socket: 4755"));
  const std::string name = FreshAddress().path();
  const absl::Status abstract = absl::InvalidArgumentError(
      "an abstract socket has neither mode nor owner");
  EXPECT_EQ(Refused({.path = name, .mode = 0600}), abstract);
  EXPECT_EQ(Refused({.path = name, .uid = geteuid()}), abstract);
  EXPECT_EQ(Refused({.path = name, .gid = getegid()}), abstract);
  EXPECT_EQ(Refused({.path = Path("socket") + std::string(1, '\0') + "x"}),
            absl::InvalidArgumentError("embedded null byte in the path"));
  EXPECT_THAT(Entries(), IsEmpty());
}

// Row U7.
TEST_F(UnixListenerTest, SaysWhyItCannotBind) {
  EXPECT_EQ(Refused(At(std::string(108, 'x'))).message(),
            "AF_UNIX path too long");
  EXPECT_EQ(Refused(At("no/socket")).message(),
            absl::StrCat("bind \"", Path("no/socket"),
                         "\": No such file or directory"));
  UnixListener listener = Listening(At("socket"));
  EXPECT_EQ(Refused(At("socket")).message(),
            absl::StrCat("Address '", Path("socket"), "' is already in use"));
}

// Rows U3, V49.
TEST_F(UnixListenerTest, TakesOverFromAServerThatWasKilled) {
  LeaveStale("socket");
  UnixListener listener = Listening(At("socket"));
  EXPECT_EQ(Connect(Address("socket")), 0);
}

// Row V49: a bound one that does not listen is not stale.
TEST_F(UnixListenerTest, KeepsItsAddressBeforeItListens) {
  UnixListener first = Bound(At("socket"));
  EXPECT_EQ(Refused(At("socket")).code(), absl::StatusCode::kAlreadyExists);
  EXPECT_TRUE(first.Listen().ok());
  EXPECT_EQ(Connect(Address("socket")), 0);
}

// Rows U18, V47, A20.
TEST_F(UnixListenerTest, RemovesItsFileWhenItIsClosed) {
  UnixListener listener = Listening(At("socket"));
  const int fd = listener.fd();
  EXPECT_TRUE(listener.Close().ok());
  EXPECT_THAT(Entries(), IsEmpty());
  EXPECT_FALSE(IsOpen(fd));
  EXPECT_FALSE(listener.listening());
  EXPECT_TRUE(listener.Close().ok());
  { UnixListener dropped = Bound(At("dropped")); }
  EXPECT_THAT(Entries(), IsEmpty());
}

// Row V47.
TEST_F(UnixListenerTest, NeverRemovesAFileThatTookItsPlace) {
  UnixListener listener = Listening(At("socket"));
  ASSERT_EQ(unlink(Path("socket").c_str()), 0);
  OwnedFd other = ListenAt(Address("socket"));
  EXPECT_TRUE(listener.Close().ok());
  EXPECT_EQ(Connect(Address("socket")), 0);
}

// While the file is there its socket is bound, so that a server that starts
// meanwhile does not take it for a stale one, and loses its own to us.
TEST_F(UnixListenerTest, RemovesItsFileBeforeItLetsGoOfTheSocket) {
  for (bool closed : {true, false}) {
    UnixListener listener = Listening(At("socket"));
    const int fd = listener.fd();
    bool open = false;
    CallHook hook(CallHook::kBeforeUnlink, 1, [&] { open = IsOpen(fd); });
    if (closed) {
      listener.Close().IgnoreError();
    } else {
      listener = UnixListener();
    }
    EXPECT_TRUE(hook.ran());
    EXPECT_TRUE(open);
  }
}

// Row A20; what asyncio 3.9 does (row U18).
TEST_F(UnixListenerTest, KeepsItsFileWhenTold) {
  ListenOptions options = At("socket");
  options.unlink = UnlinkPolicy::kKeep;
  Listening(options).Close().IgnoreError();
  EXPECT_THAT(Entries(), ElementsAre("socket"));
}

// Row V48.
TEST_F(UnixListenerTest, IsNotUndoneByAForkedChild) {
  UnixListener listener = Listening(At("socket"));
  EXPECT_EQ(InChild([&] {
              const int fd = listener.fd();
              const bool closed = listener.Close().ok() && !IsOpen(fd);
              return closed ? "closed" : "open";
            }),
            "closed");
  EXPECT_THAT(Entries(), ElementsAre("socket"));
  EXPECT_EQ(Connect(Address("socket")), 0);
}

TEST_F(UnixListenerTest, MovesWithItsFile) {
  UnixListener first = Listening(At("first"));
  UnixListener second = std::move(first);
  EXPECT_EQ(first.fd(), -1);
  EXPECT_TRUE(first.Close().ok());
  EXPECT_EQ(Connect(Address("first")), 0);
  second = Bound(At("second"));
  EXPECT_THAT(Entries(), ElementsAre("second"));
}

TEST_F(UnixListenerTest, KeepsTheFileOfADescriptorThatWasTaken) {
  UnixListener listener = Listening(At("socket"));
  OwnedFd taken = listener.TakeFd();
  EXPECT_EQ(listener.fd(), -1);
  EXPECT_EQ(Connect(Address("socket")), 0);
  EXPECT_TRUE(listener.Close().ok());
  EXPECT_THAT(Entries(), IsEmpty());
  EXPECT_TRUE(IsOpen(taken.get()));
}

// Rows V48, A20.
TEST_F(UnixListenerTest, NeverRemovesTheFileOfAGivenSocket) {
  auto listener = UnixListener::Adopt(ListenAt(Address("socket")));
  ASSERT_TRUE(listener.ok()) << listener.status();
  EXPECT_EQ(listener->address().path(), Path("socket"));
  EXPECT_TRUE(listener->Close().ok());
  EXPECT_THAT(Entries(), ElementsAre("socket"));
}

TEST_F(UnixListenerTest, ListensWithAGivenSocketThatIsOnlyBound) {
  const SocketAddress address = Address("socket");
  OwnedFd bound(socket(AF_UNIX, SOCK_STREAM, 0));
  ASSERT_EQ(bind(bound.get(), address.data(), address.size()), 0);
  auto listener =
      UnixListener::Adopt(std::move(bound), SocketType::kStream, /*backlog=*/2);
  ASSERT_TRUE(listener.ok()) << listener.status();
  EXPECT_FALSE(listener->listening());
  EXPECT_NE(fcntl(listener->fd(), F_GETFL) & O_NONBLOCK, 0);
  EXPECT_EQ(fcntl(listener->fd(), F_GETFD), FD_CLOEXEC);
  ASSERT_TRUE(listener->Listen().ok());
  EXPECT_EQ(FillBacklog(address).size(), 3u);
}

TEST_F(UnixListenerTest, LeavesTheBacklogOfASocketThatListensAlready) {
  auto listener = UnixListener::Adopt(ListenAt(Address("socket"), 2));
  ASSERT_TRUE(listener.ok()) << listener.status();
  EXPECT_TRUE(listener->listening());
  ASSERT_TRUE(listener->Listen().ok());
  EXPECT_EQ(FillBacklog(Address("socket")).size(), 3u);
}

// Row U1.
TEST_F(UnixListenerTest, RefusesAGivenSocketOfAnotherType) {
  OwnedFd tcp = NonBlockingSocket(AF_INET);
  const int number = tcp.get();
  EXPECT_EQ(UnixListener::Adopt(std::move(tcp)).status().message(),
            absl::StrCat("A UNIX Domain Stream Socket was expected, got <fd ",
                         number, ", AF_INET, SOCK_STREAM>"));
  EXPECT_FALSE(IsOpen(number));
  OwnedFd messages(socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0));
  EXPECT_TRUE(
      UnixListener::Adopt(std::move(messages), SocketType::kSeqpacket).ok());
}

TEST_F(UnixListenerTest, SaysWhyAGivenSocketCannotListen) {
  auto connected = UnixListener::Adopt(std::move(MakeSocketPair().first));
  ASSERT_TRUE(connected.ok()) << connected.status();
  EXPECT_EQ(connected->Listen().message(), "listen: Invalid argument");
  EXPECT_EQ(OsFailureOf(UnixListener().Listen())->error_number, EBADF);
}

}  // namespace
}  // namespace troupe
