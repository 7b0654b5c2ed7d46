// Binding in place of a stale socket file, and of nothing else (rows U3 to U7,
// U9, V49).
#include "io/sockets/unix_bind.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "io/os_error.h"
#include "io/owned_fd.h"
#include "io/sockets/socket_address.h"
#include "tests/io/sockets/call_hook.h"
#include "tests/io/sockets/full_descriptor_table.h"
#include "tests/io/sockets/in_child.h"
#include "tests/io/sockets/socket_folder.h"
#include "tests/support/unix_sockets.h"

namespace troupe {
namespace {

using ::testing::ElementsAre;

ino_t InodeAt(const std::string& path) {
  struct stat file;
  return lstat(path.c_str(), &file) == 0 ? file.st_ino : 0;
}

class UnixBindTest : public SocketFolderTest {
 protected:
  // A new socket, bound if the status is OK.
  static std::pair<OwnedFd, absl::Status> Bind(const SocketAddress& address) {
    OwnedFd fd = NonBlockingSocket(AF_UNIX);
    absl::Status status = BindUnixSocket(fd.get(), address);
    return {std::move(fd), std::move(status)};
  }
  static std::string Refusal(const SocketAddress& address) {
    auto [fd, status] = Bind(address);
    EXPECT_EQ(status.code(), absl::StatusCode::kAlreadyExists);
    EXPECT_EQ(OsFailureOf(status).value_or(OsFailure()).error_number,
              EADDRINUSE);
    return std::string(status.message());
  }
  static bool Answers(const SocketAddress& address) {
    OwnedFd client = NonBlockingSocket(AF_UNIX);
    return connect(client.get(), address.data(), address.size()) == 0;
  }
  static OwnedFd BindPlainly(const SocketAddress& address, int type) {
    OwnedFd fd(socket(AF_UNIX, type | SOCK_CLOEXEC, 0));
    EXPECT_EQ(bind(fd.get(), address.data(), address.size()), 0);
    return fd;
  }
  std::string InUse(const std::string& name) {
    return absl::StrCat("Address '", Path(name), "' is already in use");
  }
  // Neither bound to nor removed, and nothing beside it.
  void ExpectKept(const std::string& name) {
    const std::vector<std::string> entries = Entries();
    const std::string kind = Describe(Path(name));
    const ino_t inode = InodeAt(Path(name));
    EXPECT_EQ(Refusal(Address(name)), InUse(name));
    EXPECT_EQ(Describe(Path(name)), kind);
    EXPECT_EQ(InodeAt(Path(name)), inode);
    EXPECT_EQ(Entries(), entries);
  }
};

TEST_F(UnixBindTest, LeavesNothingButTheSocket) {
  auto [fd, status] = Bind(Address("socket"));
  EXPECT_TRUE(status.ok()) << status;
  EXPECT_THAT(Entries(), ElementsAre("socket"));
}

// Row U3.
TEST_F(UnixBindTest, ReplacesTheFileOfASocketThatIsGone) {
  for (int type : {SOCK_STREAM, SOCK_SEQPACKET, SOCK_DGRAM}) {
    const SocketAddress address = Address("socket");
    BindPlainly(address, type).Close();
    auto [fd, status] = Bind(address);
    ASSERT_TRUE(status.ok()) << status;
    ASSERT_EQ(listen(fd.get(), 1), 0);
    EXPECT_TRUE(Answers(address));
    EXPECT_THAT(Entries(), ElementsAre("socket"));
    unlink(Path("socket").c_str());
  }
}

// Rows U3, V49: asyncio takes a living server's name away.
TEST_F(UnixBindTest, NeverRemovesTheSocketOfALivingServer) {
  const SocketAddress address = Address("socket");
  OwnedFd listener = ListenAt(address, 0);
  ExpectKept("socket");
  EXPECT_EQ(accept(listener.get(), nullptr, nullptr), -1) << "was disturbed";
  std::vector<OwnedFd> waiting = FillBacklog(address);
  ExpectKept("socket");
}

// Row V49: between bind and listen it refuses connections as a stale one does.
TEST_F(UnixBindTest, NeverRemovesASocketThatDoesNotListenYet) {
  for (int type : {SOCK_STREAM, SOCK_SEQPACKET, SOCK_DGRAM}) {
    const std::string name = absl::StrCat("socket", type);
    OwnedFd bound = BindPlainly(Address(name), type);
    ExpectKept(name);
  }
}

TEST_F(UnixBindTest, NeverRemovesASocketThatAChildHasInherited) {
  OwnedFd listener = ListenAt(Address("socket"));
  EXPECT_EQ(InChild([&] {
              listener.Close();  // the child's copy; the test's is open
              return Refusal(Address("socket"));
            }),
            InUse("socket"));
}

// Row U6.
TEST_F(UnixBindTest, NeverRemovesAFileOfAnotherKind) {
  OwnedFd file(open(Path("file").c_str(), O_CREAT | O_RDWR | O_CLOEXEC, 0640));
  ExpectKept("file");
  ASSERT_EQ(mkfifo(Path("fifo").c_str(), 0600), 0);
  ExpectKept("fifo");
  ASSERT_EQ(mkdir(Path("folder").c_str(), 0700), 0);
  ExpectKept("folder");
}

// Row U4: asyncio removes the link.
TEST_F(UnixBindTest, NeverRemovesASymbolicLink) {
  LeaveStale("stale");
  OwnedFd listener = ListenAt(Address("living"));
  CallHook hook(CallHook::kBeforeFlock, 1, [] {});
  for (const char* target : {"stale", "living", "missing"}) {
    const std::string name = absl::StrCat("to_", target);
    ASSERT_EQ(symlink(target, Path(name).c_str()), 0);
    ExpectKept(name);
  }
  EXPECT_EQ(Describe(Path("stale")).substr(0, 6), "socket");
  EXPECT_FALSE(hook.ran()) << "was about to replace it";
}

// Row U9.
TEST_F(UnixBindTest, RefusesAnAbstractNameInUseWithAsynciosText) {
  const SocketAddress address = FreshAddress();
  OwnedFd bound = BindPlainly(address, SOCK_STREAM);
  CallHook hook(CallHook::kAfterBind, 2, [] {});
  EXPECT_EQ(Refusal(address),
            absl::StrCat("Address '\\x00", address.path().substr(1),
                         "' is already in use"));
  EXPECT_FALSE(hook.ran()) << "tried again";
  bound.Close();
  EXPECT_TRUE(Bind(address).second.ok());
}

TEST_F(UnixBindTest, WritesAPathAsPythonDoes) {
  mkdir(Path("it's\n\\").c_str(), 0700);
  EXPECT_EQ(Refusal(Address("it's\n\\")),
            absl::StrCat("Address '", folder(),
                         "/it\\'s\\x0a\\\\' is already in use"));
}

// Row U7.
TEST_F(UnixBindTest, GivesOtherErrorsAsTheyAre) {
  const absl::Status missing = Bind(Address("no/such")).second;
  EXPECT_EQ(missing.message(), absl::StrCat("bind \"", Path("no/such"),
                                            "\": No such file or directory"));
  EXPECT_EQ(missing.code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(OsFailureOf(missing)->error_number, ENOENT);
  OwnedFd bound = BindPlainly(Address("first"), SOCK_STREAM);
  EXPECT_EQ(
      OsFailureOf(BindUnixSocket(bound.get(), Address("second")))->error_number,
      EINVAL);
}

// Row U5.
TEST_F(UnixBindTest, SaysWhyItCannotRemoveAStaleFile) {
  LeaveStale("socket");
  chmod(Path("socket").c_str(), 0777);
  ASSERT_EQ(chmod(folder().c_str(), 0555), 0);
  EXPECT_EQ(InChild([&] {
              BecomeNobody();
              return Refusal(Address("socket"));
            }),
            absl::StrCat(InUse("socket"),
                         ": unable to check or remove stale UNIX socket: open "
                         "\"",
                         Path("socket.replacing"), "\": Permission denied"));
  chmod(folder().c_str(), 0700);
  EXPECT_THAT(Entries(), ElementsAre("socket"));
}

// Row U5.
TEST_F(UnixBindTest, KeepsWhatItCannotAskAbout) {
  OwnedFd listener = ListenAt(Address("socket"));
  chmod(Path("socket").c_str(), 0);
  chmod(folder().c_str(), 0777);
  EXPECT_EQ(InChild([&] {
              BecomeNobody();
              return Refusal(Address("socket"));
            }),
            absl::StrCat(InUse("socket"),
                         ": unable to check or remove stale UNIX socket: "
                         "connect \"",
                         Path("socket"), "\": Permission denied"));
  EXPECT_THAT(Entries(), ElementsAre("socket"));
}

TEST_F(UnixBindTest, KeepsWhatItHasNoDescriptorToAskAbout) {
  LeaveStale("socket");
  OwnedFd fd = NonBlockingSocket(AF_UNIX);
  for (int room : {0, 1, 2}) {  // to look, to ask, to lock
    absl::Status status;
    {
      FullDescriptorTable table(room);
      status = BindUnixSocket(fd.get(), Address("socket"));
    }
    EXPECT_EQ(status.code(), absl::StatusCode::kAlreadyExists) << room;
    EXPECT_THAT(std::string(status.message()),
                ::testing::EndsWith("Too many open files"));
  }
  EXPECT_THAT(Entries(), ElementsAre("socket"));
  EXPECT_TRUE(BindUnixSocket(fd.get(), Address("socket")).ok());
}

TEST_F(UnixBindTest, IsRefusedWhileAnotherReplacesTheFile) {
  LeaveStale("socket");
  OwnedFd lock(open(Path("socket.replacing").c_str(),
                    O_CREAT | O_RDWR | O_CLOEXEC, 0600));
  ASSERT_EQ(flock(lock.get(), LOCK_EX), 0);
  ExpectKept("socket");
  lock.Close();  // as if it was killed
  EXPECT_TRUE(Bind(Address("socket")).second.ok());
  EXPECT_THAT(Entries(), ElementsAre("socket"));
}

// The moments that others can use, each made to happen.

TEST_F(UnixBindTest, BindsWhenTheFileVanishesMeanwhile) {
  LeaveStale("socket");
  CallHook hook(CallHook::kAfterBind, 1,
                [&] { unlink(Path("socket").c_str()); });
  EXPECT_TRUE(Bind(Address("socket")).second.ok());
  EXPECT_TRUE(hook.ran());
}

TEST_F(UnixBindTest, NeverRemovesWhatCameBeforeItHadTheLock) {
  LeaveStale("socket");
  OwnedFd other;
  CallHook hook(CallHook::kBeforeFlock, 1, [&] {
    unlink(Path("socket").c_str());
    other = ListenAt(Address("socket"));
  });
  EXPECT_EQ(Refusal(Address("socket")), InUse("socket"));
  EXPECT_TRUE(hook.ran());
  EXPECT_TRUE(Answers(Address("socket")));
}

// A program that does not know of the lock.
TEST_F(UnixBindTest, NeverRemovesWhatCameAfterItHadAsked) {
  LeaveStale("socket");
  OwnedFd other;
  CallHook hook(CallHook::kAfterConnect, 2, [&] {
    unlink(Path("socket").c_str());
    other = ListenAt(Address("socket"));
  });
  EXPECT_EQ(Refusal(Address("socket")), InUse("socket"));
  EXPECT_TRUE(hook.ran());
  EXPECT_TRUE(Answers(Address("socket")));
}

TEST_F(UnixBindTest, NobodyElseReplacesBetweenItsLastLookAndTheRemoval) {
  LeaveStale("socket");
  std::string other;
  CallHook hook(CallHook::kBeforeUnlink, 1,
                [&] { other = Refusal(Address("socket")); });
  EXPECT_TRUE(Bind(Address("socket")).second.ok());
  EXPECT_EQ(other, InUse("socket"));
  EXPECT_TRUE(hook.ran());
}

TEST_F(UnixBindTest, IsRefusedWhenAnotherBindsRightAfterTheRemoval) {
  LeaveStale("socket");
  OwnedFd other;
  CallHook hook(CallHook::kBeforeUnlink, 2, [&] {  // of the lock's file
    other = ListenAt(Address("socket"));
  });
  EXPECT_EQ(Refusal(Address("socket")), InUse("socket"));
  EXPECT_TRUE(hook.ran());
  EXPECT_TRUE(Answers(Address("socket")));
}

}  // namespace
}  // namespace troupe
