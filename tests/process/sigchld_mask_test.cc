// Whom the ends of the spawner's children interrupt.
#include "process/sigchld_mask.h"

#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <fstream>
#include <functional>
#include <string>
#include <thread>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "io/thread_mask.h"
#include "process/reap.h"
#include "process/spawn.h"
#include "process/spawn_attempt.h"
#include "tests/process/spawner_fixture.h"
#include "tests/support/child_program.h"
#include "tests/support/leased_program.h"
#include "tests/support/seccomp_filter.h"
#include "tests/support/yield_until.h"

namespace troupe {
namespace {

// Before the fixture starts its threads, all of which block SIGCHLD then.
struct NobodyTakesSignals {
  BlockAllSignals mask;
};
class UnseenSigchldTest : private NobodyTakesSignals, public SpawnerTest {};

// What nobody handles is dropped and not kept for the first who might look.
TEST_F(UnseenSigchldTest, IsNotSentWhenNobodyHandlesIt) {
  for (int i = 0; i < 3; ++i) {
    auto made = Make({.argv = {ChildProgram("exit_with")}});
    ASSERT_TRUE(made.ok());
    EXPECT_EQ(EndAndReap(*made), ExitStatus::Exited(0));
    sigset_t pending;
    sigpending(&pending);
    EXPECT_FALSE(sigismember(&pending, SIGCHLD));
  }
}

std::atomic<pid_t> handled_by{0};

// The test's thread can take it.
class HandledSigchldTest : private NobodyTakesSignals, public SpawnerTest {
 protected:
  HandledSigchldTest() {
    const sigset_t sigchld = OnlySignal(SIGCHLD);
    pthread_sigmask(SIG_UNBLOCK, &sigchld, nullptr);
    struct sigaction catching = {};
    catching.sa_handler = [](int) { handled_by = gettid(); };
    sigaction(SIGCHLD, &catching, &before_);
    handled_by = 0;
  }
  ~HandledSigchldTest() override { sigaction(SIGCHLD, &before_, nullptr); }

 private:
  struct sigaction before_;
};

TEST_F(HandledSigchldTest, RunsTheHandlerOnTheProgramsThreads) {
  for (int i = 0; i < 3; ++i) {
    handled_by = 0;
    auto made = Make({.argv = {ChildProgram("exit_with")}});
    ASSERT_TRUE(made.ok());
    EXPECT_EQ(EndAndReap(*made), ExitStatus::Exited(0));
    ASSERT_TRUE(YieldUntil([] { return handled_by != 0; }));
    EXPECT_EQ(handled_by, gettid());
  }
}

TEST(SigchldMaskTest, FollowsTheDispositionOfSigchld) {
  sigset_t before;
  pthread_sigmask(SIG_SETMASK, nullptr, &before);
  auto blocked = [] {
    sigset_t now;
    BlockSigchldIfHandled();
    pthread_sigmask(SIG_SETMASK, nullptr, &now);
    return sigismember(&now, SIGCHLD) == 1;
  };
  auto after = [&](sighandler_t disposition) {
    signal(SIGCHLD, disposition);
    return blocked();
  };
  EXPECT_FALSE(after(SIG_DFL));
  EXPECT_TRUE(after([](int) {}));
  EXPECT_FALSE(after(SIG_IGN));
  EXPECT_TRUE(after([](int) {}));
  EXPECT_FALSE(after(SIG_DFL));
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

// As proc(5) has it of one of our threads.
uint64_t BlockedBy(pid_t thread) {
  std::ifstream status(absl::StrCat("/proc/self/task/", thread, "/status"));
  uint64_t blocked = 0;
  for (std::string line; std::getline(status, line);) {
    if (sscanf(line.c_str(), "SigBlk: %lx", &blocked) == 1) break;
  }
  return blocked;
}

bool Has(uint64_t signals, int number) { return signals >> (number - 1) & 1; }

// What the thread blocks whose child hangs in `program`, after `prepare`.
uint64_t BlockedInTheMiddleOfASpawn(const LeasedProgram& program,
                                    const std::function<void()>& prepare) {
  SpawnAttempt attempt;
  std::atomic<pid_t> tid{0};
  std::thread spawner([&] {
    prepare();
    tid = gettid();
    EXPECT_FALSE(Spawn({.argv = {program.path()}}, &attempt).ok());
  });
  EXPECT_TRUE(YieldUntil([&] {
    return __atomic_load_n(&attempt.flags()->started, __ATOMIC_SEQ_CST) != 0;
  }));
  const uint64_t blocked = BlockedBy(tid);
  EXPECT_TRUE(attempt.Abort());
  spawner.join();
  return blocked;
}

// A child may end before the thread that made it runs again.
TEST(SigchldMaskTest, IsLetThroughInTheMiddleOfASpawn) {
  LeasedProgram program;
  if (!program.held()) GTEST_SKIP() << "no leases on this file system";
  const uint64_t blocked = BlockedInTheMiddleOfASpawn(program, [] {});
  EXPECT_TRUE(Has(blocked, SIGTERM));
  EXPECT_FALSE(Has(blocked, SIGCHLD));
}

// There the child has the program's handlers until it drops them itself.
TEST(SigchldMaskTest, IsBlockedInTheMiddleOfASpawnWithoutClone3) {
  LeasedProgram program;
  if (!program.held()) GTEST_SKIP() << "no leases on this file system";
  const uint64_t blocked = BlockedInTheMiddleOfASpawn(program, [] {
    EXPECT_TRUE(RefuseCalls({{SYS_clone3, ENOSYS}}));
  });
  EXPECT_TRUE(Has(blocked, SIGTERM));
  EXPECT_TRUE(Has(blocked, SIGCHLD));
}

}  // namespace
}  // namespace troupe
