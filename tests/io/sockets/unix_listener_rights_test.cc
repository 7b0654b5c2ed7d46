// The mode and the owner of a listening socket's file (rows U10, A19).
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "io/os_error.h"
#include "io/owned_fd.h"
#include "io/sockets/socket_connect.h"
#include "io/sockets/unix_listener.h"
#include "tests/io/sockets/call_hook.h"
#include "tests/io/sockets/in_child.h"
#include "tests/io/sockets/socket_folder.h"

namespace troupe {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class Umask {
 public:
  explicit Umask(mode_t mask) : before_(umask(mask)) {}
  ~Umask() { umask(before_); }

 private:
  const mode_t before_;
};

class UnixListenerRightsTest : public SocketFolderTest {
 protected:
  ListenOptions WithMode(mode_t mode) {
    return {.path = Path("socket"), .mode = mode};
  }
  static UnixListener Bound(const ListenOptions& options) {
    auto listener = UnixListener::Bind(options);
    EXPECT_TRUE(listener.ok()) << listener.status();
    return listener.ok() ? *std::move(listener) : UnixListener();
  }
  static absl::Status Refused(const ListenOptions& options) {
    return UnixListener::Bind(options).status();
  }
};

// Row U10.
TEST_F(UnixListenerRightsTest, LeavesTheModeToTheUmaskUnlessTold) {
  for (auto [mask, mode] : {std::pair(022, "socket 0755"),
                            {077, "socket 0700"},
                            {0, "socket 0777"}}) {
    Umask set(mask);
    UnixListener listener = Bound({.path = Path("socket")});
    EXPECT_EQ(Describe(Path("socket")), mode);
  }
}

// Row A19.
TEST_F(UnixListenerRightsTest, GivesTheModeWhateverTheUmask) {
  for (mode_t mask : {0, 022, 077, 0777}) {
    Umask set(mask);
    for (mode_t mode : {0600, 0660, 0666, 0777, 0}) {
      UnixListener listener = Bound(WithMode(mode));
      EXPECT_EQ(Describe(Path("socket")), absl::StrFormat("socket %04o", mode));
    }
  }
}

// Row A19.
TEST_F(UnixListenerRightsTest, IsNeverOpenToMoreThanItsMode) {
  for (mode_t mask : {0, 077}) {
    Umask set(mask);
    std::string at_bind;
    int connected = 0;
    CallHook hook(CallHook::kAfterBind, 1, [&] {
      at_bind = Describe(Path("socket"));
      connected = OsFailureOf(StartConnect(Address("socket")).status())
                      .value_or(OsFailure())
                      .error_number;
    });
    UnixListener listener = Bound(WithMode(0640));
    EXPECT_TRUE(hook.ran());
    EXPECT_EQ(at_bind, mask == 0 ? "socket 0640" : "socket 0600");
    EXPECT_EQ(connected, ECONNREFUSED);
    EXPECT_EQ(Describe(Path("socket")), "socket 0640");
  }
}

// Row A19.
TEST_F(UnixListenerRightsTest, GivesTheFileToItsOwner) {
  const bool root = geteuid() == 0;
  const uid_t uid = root ? 12345 : geteuid();
  const gid_t gid = root ? 23456 : getegid();
  UnixListener listener =
      Bound({.path = Path("socket"), .mode = 0660, .uid = uid, .gid = gid});
  struct stat file;
  ASSERT_EQ(lstat(Path("socket").c_str(), &file), 0);
  EXPECT_EQ(file.st_uid, uid);
  EXPECT_EQ(file.st_gid, gid);
  EXPECT_EQ(Describe(Path("socket")), "socket 0660");
}

TEST_F(UnixListenerRightsTest, ChangesTheGroupAlone) {
  const gid_t gid = geteuid() == 0 ? 23456 : getegid();
  UnixListener listener = Bound({.path = Path("socket"), .gid = gid});
  struct stat file;
  ASSERT_EQ(lstat(Path("socket").c_str(), &file), 0);
  EXPECT_EQ(file.st_uid, geteuid());
  EXPECT_EQ(file.st_gid, gid);
}

TEST_F(UnixListenerRightsTest, ChangesTheOwnerAlone) {
  const bool root = geteuid() == 0;
  const uid_t uid = root ? 12345 : geteuid();
  const gid_t gid = root ? 23456 : getegid();
  ASSERT_EQ(chown(folder().c_str(), static_cast<uid_t>(-1), gid), 0);
  ASSERT_EQ(chmod(folder().c_str(), 02700), 0);  // files are of its group
  UnixListener listener = Bound({.path = Path("socket"), .uid = uid});
  struct stat file;
  ASSERT_EQ(lstat(Path("socket").c_str(), &file), 0);
  EXPECT_EQ(file.st_uid, uid);
  EXPECT_EQ(file.st_gid, gid);
}

// Row A19.
TEST_F(UnixListenerRightsTest, LeavesNothingWhenItMayNotGiveTheFileAway) {
  chmod(folder().c_str(), 0777);
  EXPECT_EQ(
      InChild([&] {
        BecomeNobody();
        return std::string(Refused({.path = Path("socket"),
                                    .uid = 0,
                                    .unlink = UnlinkPolicy::kKeep})
                               .message());
      }),
      absl::StrCat("chown \"", Path("socket"), "\": Operation not permitted"));
  EXPECT_THAT(Entries(), IsEmpty());
}

// Somebody who may write to the folder swaps the file for a link.
TEST_F(UnixListenerRightsTest, GivesNoRightsToAFileThatTookItsPlace) {
  OwnedFd victim(
      open(Path("victim").c_str(), O_CREAT | O_RDWR | O_CLOEXEC, 0600));
  CallHook hook(CallHook::kAfterBind, 1, [&] {
    unlink(Path("socket").c_str());
    ASSERT_EQ(symlink("victim", Path("socket").c_str()), 0);
  });
  EXPECT_FALSE(Refused(WithMode(0666)).ok());
  EXPECT_EQ(Describe(Path("victim")), "file 0600");
  EXPECT_THAT(Entries(), ElementsAre("socket", "victim"));
}

}  // namespace
}  // namespace troupe
