#include "process/spawn_attempt.h"

#include <fcntl.h>

#include <atomic>
#include <cerrno>
#include <string>
#include <thread>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "io/os_error.h"
#include "process/spawn.h"
#include "tests/process/ran_child.h"
#include "tests/support/child_program.h"
#include "tests/support/leak_check.h"
#include "tests/support/leased_program.h"
#include "tests/support/no_kill_capability.h"
#include "tests/support/scratch_folder.h"

namespace troupe {
namespace {

class SpawnAttemptTest : public LeakCheckedTest {};

TEST_F(SpawnAttemptTest, ChangesNothingWhenItIsNotUsed) {
  SpawnAttempt attempt;
  auto child = Spawn({.argv = {ChildProgram("exit_with"), "5"}}, &attempt);
  ASSERT_TRUE(child.ok()) << child.status();
  EXPECT_FALSE(attempt.Abort());  // too late: the child is not touched
  EXPECT_EQ(EndOf(&*child), ExitStatus::Exited(5));
}

TEST_F(SpawnAttemptTest, EndsASpawnThatHasNotBegun) {
  SpawnAttempt attempt;
  EXPECT_TRUE(attempt.Abort());
  absl::Status status =
      Spawn({.argv = {ChildProgram("exit_with")}}, &attempt).status();
  EXPECT_TRUE(absl::IsDeadlineExceeded(status));
  EXPECT_EQ(OsFailureOf(status)->step, "spawn");
}

// In whatever way: not valid, no such file, no such program.
TEST_F(SpawnAttemptTest, IsOverWhenTheSpawnFailed) {
  Stdio missing = Stdio::File("/no/such", Stdio::FileMode::kRead);
  for (const Command& command :
       {Command{}, Command{.argv = {"/bin/true"}, .stdin_from = missing},
        Command{.argv = {"/no/such"}}}) {
    SpawnAttempt attempt;
    EXPECT_FALSE(Spawn(command, &attempt).ok());
    EXPECT_FALSE(attempt.Abort());
  }
}

// Core rule 5: a spawn not exec'ed by its deadline is killed through its pidfd
// and answered typed.
TEST_F(SpawnAttemptTest, KilledWhenExecHangs) {
  LeasedProgram program;
  if (!program.held()) GTEST_SKIP() << "no leases on this file system";
  SpawnAttempt attempt;
  absl::Status status;
  std::thread spawner([&] {
    status = Spawn({.argv = {program.path()},
                    .stdin_from = Stdio::Pipe(),
                    .stdout_to = Stdio::Pipe()},
                   &attempt)
                 .status();
  });
  program.AwaitBlocked();
  EXPECT_TRUE(attempt.Abort());
  spawner.join();
  EXPECT_TRUE(absl::IsDeadlineExceeded(status)) << status;
  EXPECT_EQ(status.message(),
            absl::StrCat("exec \"", program.path(), "\": Timer expired"));
}

// Row V10: it is too late for one that may not be killed, and nobody waits for
// its end. As a set-user-id program is between its exec and Spawn's return.
TEST_F(SpawnAttemptTest, LeavesAChildThatMayNotBeKilled) {
  NoKillCapability none;
  if (!NoKillCapability::MayHaveStrangers()) {
    GTEST_SKIP() << "needs root, with the right to change uids";
  }
  LeasedProgram program("/bin/cat");
  if (!program.held()) GTEST_SKIP() << "no leases on this file system";
  SpawnAttempt attempt;
  absl::StatusOr<SpawnedChild> child;
  std::thread spawner([&] {
    child = Spawn({.argv = {program.path()},
                   .stdin_from = Stdio::Pipe(),
                   .stdout_to = Stdio::Null(),
                   .uid = kStrangersUid},
                  &attempt);
  });
  program.AwaitBlocked();
  EXPECT_TRUE(attempt.Abort());
  program.GiveUp();
  spawner.join();
  ASSERT_TRUE(child.ok()) << child.status();
  child->stdin_pipe.Close();
  EXPECT_EQ(EndOf(&*child), ExitStatus::Exited(0));
}

// Each round aborts somewhere else: before, during and after the clone. Either
// the child runs or it is gone; nothing hangs, nobody else is hit.
TEST_F(SpawnAttemptTest, MayBeAbortedAtAnyMoment) {
  int aborted = 0, ran = 0;
  for (int i = 0; i < 300; ++i) {
    SpawnAttempt attempt;
    std::thread aborter([&] {
      std::atomic<int> spin{0};
      while (spin++ < i * 300) {
      }
      attempt.Abort();
    });
    auto child = Spawn({.argv = {ChildProgram("exit_with")}}, &attempt);
    aborter.join();
    if (child.ok()) {
      ++ran;
      ASSERT_EQ(EndOf(&*child), ExitStatus::Exited(0));
    } else {
      ++aborted;
      ASSERT_TRUE(absl::IsDeadlineExceeded(child.status())) << child.status();
    }
  }
  EXPECT_GT(aborted, 0);
  RecordProperty("ran", ran);
}

// Ask 7 of the peers: a program that is open for writing. `busy` says when the
// child has found that out.
class BusyProgramTest : public SpawnAttemptTest {
 protected:
  BusyProgramTest() : path_(folder_.PathOf("exit_with")) {
    RunToEnd({.argv = {"/bin/cp", "-L", ChildProgram("exit_with"), path_}});
    writer_ = OwnedFd(open(path_.c_str(), O_WRONLY | O_CLOEXEC));
  }

  // Or until the spawn is over without that.
  void WaitUntilBusy() {
    while (!over_ &&
           __atomic_load_n(&attempt_.flags()->busy, __ATOMIC_SEQ_CST) == 0) {
      std::this_thread::yield();
    }
  }

  ScratchFolder folder_;
  std::string path_;
  OwnedFd writer_;
  SpawnAttempt attempt_;
  std::atomic<bool> over_{false};
};

TEST_F(BusyProgramTest, RunsWhenItsWriterHasClosedIt) {
  std::thread other([&] {
    WaitUntilBusy();
    writer_.Close();
  });
  auto child = Spawn({.argv = {path_, "6"}}, &attempt_);
  over_ = true;
  other.join();
  ASSERT_TRUE(child.ok()) << child.status();
  EXPECT_EQ(EndOf(&*child), ExitStatus::Exited(6));
}

TEST_F(BusyProgramTest, IsGivenUpInTheEnd) {
  absl::Status status = Spawn({.argv = {path_}}, &attempt_).status();
  EXPECT_EQ(status.message(),
            absl::StrCat("exec \"", path_, "\": Text file busy"));
  EXPECT_EQ(attempt_.flags()->busy, 8);
}

// A file that is busy is found; one behind it in the PATH is not run instead.
TEST_F(BusyProgramTest, IsNotReplacedByALaterOneInThePath) {
  absl::Status status =
      Spawn({.argv = {"exit_with"},
             .environment = {.set = {{"PATH", folder_.path() + ":/bin"}}}},
            &attempt_)
          .status();
  EXPECT_EQ(status.message(), "exec \"exit_with\": Text file busy");
}

TEST_F(BusyProgramTest, IsWaitedForNoLongerThanTheAttemptLasts) {
  std::thread other([&] {
    WaitUntilBusy();
    EXPECT_TRUE(attempt_.Abort());
  });
  absl::Status status = Spawn({.argv = {path_}}, &attempt_).status();
  over_ = true;
  other.join();
  EXPECT_TRUE(absl::IsDeadlineExceeded(status)) << status;
}

}  // namespace
}  // namespace troupe
