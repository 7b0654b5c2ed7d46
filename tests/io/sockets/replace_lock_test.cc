// One process at a time replaces a socket file.
#include "io/sockets/replace_lock.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "io/owned_fd.h"
#include "tests/io/sockets/call_hook.h"
#include "tests/io/sockets/in_child.h"
#include "tests/io/sockets/socket_folder.h"
#include "tests/support/descriptors.h"

namespace troupe {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class ReplaceLockTest : public SocketFolderTest {
 protected:
  std::string Take() {
    auto lock = ReplaceLock::Take(Path("socket"));
    if (!lock.ok()) return std::string(lock.status().message());
    return lock->has_value() ? "taken" : "of another";
  }
};

TEST_F(ReplaceLockTest, IsHadByOneAtATimeAndLeavesNothing) {
  {
    auto lock = ReplaceLock::Take(Path("socket"));
    ASSERT_TRUE(lock.ok() && lock->has_value()) << lock.status();
    EXPECT_THAT(Entries(), ElementsAre("socket.replacing"));
    EXPECT_EQ(Take(), "of another");
    EXPECT_EQ(InChild([&] { return Take(); }), "of another");
    EXPECT_THAT(Entries(), ElementsAre("socket.replacing"));
  }
  EXPECT_THAT(Entries(), IsEmpty());
  EXPECT_EQ(Take(), "taken");
}

TEST_F(ReplaceLockTest, LetsNobodyElseHoldIt) {
  const mode_t before = umask(0);
  auto lock = ReplaceLock::Take(Path("socket"));
  umask(before);
  EXPECT_EQ(Describe(Path("socket.replacing")), "file 0600");
}

TEST_F(ReplaceLockTest, IsTakenOverFromAProcessThatWasKilled) {
  Ends ready = MakePipe();
  const pid_t child = fork();
  if (child == 0) {
    auto lock = ReplaceLock::Take(Path("socket"));
    WriteFully(ready.second, "r");
    pause();
  }
  ASSERT_EQ(ReadFully(ready.first, 1), "r");
  EXPECT_EQ(Take(), "of another");
  kill(child, SIGKILL);
  ASSERT_EQ(waitpid(child, nullptr, 0), child);
  EXPECT_THAT(Entries(), ElementsAre("socket.replacing"));
  EXPECT_EQ(Take(), "taken");
  EXPECT_THAT(Entries(), IsEmpty());
}

// Its file was removed by the last holder after we had opened it: the lock that
// we get then is of no file, and the next one makes another.
TEST_F(ReplaceLockTest, IsNotHadByAFileThatWasRemoved) {
  CallHook hook(CallHook::kBeforeFlock, 1, [&] {
    ASSERT_EQ(unlink(Path("socket.replacing").c_str()), 0);
  });
  auto lock = ReplaceLock::Take(Path("socket"));
  ASSERT_TRUE(lock.ok() && lock->has_value()) << lock.status();
  EXPECT_TRUE(hook.ran());
  EXPECT_THAT(Entries(), ElementsAre("socket.replacing"));
  EXPECT_EQ(Take(), "of another");
}

TEST_F(ReplaceLockTest, FollowsNoLinkAndRemovesNothingOfAnotherKind) {
  const std::string target = Path("target"), name = Path("socket.replacing");
  ASSERT_EQ(symlink(target.c_str(), name.c_str()), 0);
  EXPECT_EQ(Take(), "open \"" + name + "\": Too many levels of symbolic links");
  EXPECT_THAT(Entries(), ElementsAre("socket.replacing"));
  ASSERT_EQ(unlink(name.c_str()), 0);
  ASSERT_EQ(mkfifo(name.c_str(), 0600), 0);
  EXPECT_EQ(Take(), "lock \"" + name + "\": File exists");
  EXPECT_EQ(Describe(name), "fifo 0600");
}

TEST_F(ReplaceLockTest, IsNeverHadByTwoHoweverManyThreadsTry) {
  std::atomic<int> holders{0}, taken{0};
  std::atomic<bool> twice{false};
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      for (int n = 0; n < 2000; ++n) {
        auto lock = ReplaceLock::Take(Path("socket"));
        if (!lock.ok()) twice = true;
        if (!lock.ok() || !lock->has_value()) continue;
        ++taken;
        if (++holders != 1) twice = true;
        --holders;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_FALSE(twice);
  EXPECT_GT(taken, 0);
  EXPECT_THAT(Entries(), IsEmpty());
}

}  // namespace
}  // namespace troupe
