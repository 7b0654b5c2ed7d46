// Removing the file of a socket that was bound here (rows U18, V47, A20).
#include "io/sockets/socket_file.h"

#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "io/os_error.h"
#include "io/owned_fd.h"
#include "io/sockets/socket_address.h"
#include "tests/io/sockets/call_hook.h"
#include "tests/io/sockets/in_child.h"
#include "tests/io/sockets/socket_folder.h"
#include "tests/support/unix_sockets.h"

namespace troupe {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class SocketFileTest : public SocketFolderTest {
 protected:
  // The file of socket_, which stays open.
  SocketFile Bound(const std::string& name = "socket") {
    socket_ = ListenAt(Address(name));
    auto file = SocketFile::At(Path(name));
    EXPECT_TRUE(file.ok()) << file.status();
    return *std::move(file);
  }

  OwnedFd socket_;
};

TEST_F(SocketFileTest, RemovesItOnce) {
  SocketFile file = Bound();
  ASSERT_EQ(link(Path("socket").c_str(), Path("again").c_str()), 0);
  EXPECT_TRUE(file.Remove().ok());
  EXPECT_THAT(Entries(), ElementsAre("again"));
  ASSERT_EQ(rename(Path("again").c_str(), Path("socket").c_str()), 0);
  EXPECT_TRUE(file.Remove().ok());
  EXPECT_THAT(Entries(), ElementsAre("socket"));
}

TEST_F(SocketFileTest, RemovesItWhenItIsLetGo) {
  { SocketFile file = Bound(); }
  EXPECT_THAT(Entries(), IsEmpty());
}

TEST_F(SocketFileTest, RemovesItWhereItWasMovedTo) {
  SocketFile first = Bound("first");
  SocketFile second = std::move(first);
  EXPECT_TRUE(first.Remove().ok());
  EXPECT_THAT(Entries(), ElementsAre("first"));
  OwnedFd open = std::move(socket_);
  second = Bound("second");
  EXPECT_THAT(Entries(), ElementsAre("second"));
}

TEST_F(SocketFileTest, KeepsItWhenTold) {
  Bound().Keep();
  { SocketFile none; }
  EXPECT_THAT(Entries(), ElementsAre("socket"));
}

// Row V47.
TEST_F(SocketFileTest, NeverRemovesAnotherThatTookItsPlace) {
  SocketFile file = Bound();
  ASSERT_EQ(unlink(Path("socket").c_str()), 0);
  OwnedFd other = ListenAt(Address("socket"));
  EXPECT_TRUE(file.Remove().ok());
  EXPECT_THAT(Entries(), ElementsAre("socket"));
}

TEST_F(SocketFileTest, NeverRemovesALinkToIt) {
  SocketFile file = Bound();
  ASSERT_EQ(rename(Path("socket").c_str(), Path("moved").c_str()), 0);
  ASSERT_EQ(symlink("moved", Path("socket").c_str()), 0);
  EXPECT_TRUE(file.Remove().ok());
  EXPECT_THAT(Entries(), ElementsAre("moved", "socket"));
}

TEST_F(SocketFileTest, IsContentWhenItIsGone) {
  SocketFile file = Bound();
  ASSERT_EQ(unlink(Path("socket").c_str()), 0);
  EXPECT_TRUE(file.Remove().ok());
}

TEST_F(SocketFileTest, IsContentWhenSomebodyElseRemovesItMeanwhile) {
  SocketFile file = Bound();
  CallHook hook(CallHook::kBeforeUnlink, 1,
                [&] { EXPECT_EQ(unlink(Path("socket").c_str()), 0); });
  EXPECT_TRUE(file.Remove().ok());
  EXPECT_TRUE(hook.ran());
}

// Row V48: workers that were forked end before their master.
TEST_F(SocketFileTest, IsNotRemovedByAForkedChild) {
  SocketFile file = Bound();
  EXPECT_EQ(InChild([&] { return file.Remove().ToString(); }), "OK");
  EXPECT_THAT(Entries(), ElementsAre("socket"));
}

TEST_F(SocketFileTest, FindsItAfterAChangeOfFolder) {
  const auto before = std::filesystem::current_path();
  std::filesystem::current_path(folder());
  OwnedFd fd = ListenAt(*SocketAddress::Unix("socket"));
  auto file = SocketFile::At("socket");
  std::filesystem::current_path(before);
  ASSERT_TRUE(file.ok()) << file.status();
  EXPECT_TRUE(file->Remove().ok());
  EXPECT_THAT(Entries(), IsEmpty());
}

TEST_F(SocketFileTest, TakesNoFileOfAnotherKind) {
  LeaveStale("socket");
  ASSERT_EQ(symlink("socket", Path("link").c_str()), 0);
  EXPECT_EQ(OsFailureOf(SocketFile::At(Path("link")).status())->error_number,
            ENOTSOCK);
  EXPECT_EQ(OsFailureOf(SocketFile::At(Path("none")).status())->error_number,
            ENOENT);
}

// Row V47.
TEST_F(SocketFileTest, SaysWhyItCannotRemoveIt) {
  chmod(folder().c_str(), 0777);
  const std::string own = Path("own"), path = own + "/socket";
  EXPECT_EQ(InChild([&] {
              BecomeNobody();
              mkdir(own.c_str(), 0700);
              OwnedFd fd = ListenAt(*SocketAddress::Unix(path));
              auto file = SocketFile::At(path);
              chmod(own.c_str(), 0500);
              const std::string text(file->Remove().message());
              chmod(own.c_str(), 0700);
              return text;
            }),
            absl::StrCat("unlink \"", path, "\": Permission denied"));
}

}  // namespace
}  // namespace troupe
