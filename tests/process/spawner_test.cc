#include "process/spawner.h"

#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <memory>
#include <thread>
#include <vector>

#include "absl/status/status.h"
#include "caf/send.hpp"
#include "gtest/gtest.h"
#include "io/io_thread.h"
#include "io/os_error.h"
#include "tests/process/ran_child.h"
#include "tests/process/spawner_fixture.h"
#include "tests/support/leased_program.h"
#include "tests/support/sanitized.h"

namespace troupe {
namespace {

TEST_F(SpawnerTest, MakesAChildWithThePipesAskedFor) {
  auto made =
      Make({.argv = {ChildProgram("write_both")}, .stdout_to = Stdio::Pipe()});
  ASSERT_TRUE(made.ok()) << made.status();
  EXPECT_EQ(made->stdin_pipe.number(), -1);
  EXPECT_EQ(made->stderr_pipe.number(), -1);
  OwnedFd out = made->stdout_pipe.Take();
  EXPECT_EQ(ReadToEnd(out.get()), "out");
  EXPECT_EQ(EndAndReap(*made), ExitStatus::Exited(0));
}

// P6: step, path and errno pass the actors.
TEST_F(SpawnerTest, SaysWhyItCouldNot) {
  auto made = Make({.argv = {"/no/such"}});
  EXPECT_EQ(made.status().message(),
            "exec \"/no/such\": No such file or directory");
  EXPECT_EQ(OsFailureOf(made.status())->error_number, ENOENT);
  EXPECT_TRUE(absl::IsInvalidArgument(Make({.argv = {}}).status()));
}

TEST_F(SpawnerTest, AnAttemptThatWasAbortedBeforeMakesNothing) {
  auto attempt = std::make_shared<SpawnAttempt>();
  attempt->Abort();
  auto made = Ask<ChildSpawned>(
      spawner_, SpawnChild{{.argv = {ChildProgram("exit_with")}}, attempt});
  EXPECT_TRUE(absl::IsDeadlineExceeded(made.status()));
}

// Rows P30, V15 and A11: asyncio's loop stands still until the exec is done.
TEST_F(SpawnerTest, TheLoopGoesOnWhileASpawnHangs) {
  LeasedProgram program;
  if (!program.held()) GTEST_SKIP() << "no leases on this file system";
  Subprocess cat = NewSubprocess();
  StartProcess start = Piped({ChildProgram("copy_input")});
  start.observer = NewObserver();
  ASSERT_EQ(Start(cat, start), "");
  auto attempt = std::make_shared<SpawnAttempt>();
  std::atomic<bool> answered{false};
  absl::Status status;
  std::thread asker([&] {
    status = Ask<ChildSpawned>(spawner_,
                               SpawnChild{{.argv = {program.path()}}, attempt})
                 .status();
    answered = true;
  });
  while (!__atomic_load_n(&attempt->flags()->started, __ATOMIC_SEQ_CST)) {
    std::this_thread::yield();
  }
  caf::anon_send(cat, Write{Bytes("x"), {}});
  EXPECT_TRUE(trace_->WaitFor("DATA 1 'x'"));
  EXPECT_FALSE(answered);
  EXPECT_TRUE(attempt->Abort());
  asker.join();
  EXPECT_TRUE(absl::IsDeadlineExceeded(status)) << status;
  caf::anon_send(cat, CloseStdin{});
  EXPECT_TRUE(trace_->WaitFor("CL"));
}

// Row A12 and ask 3 of the peers: whoever asks, on whichever thread, waits for
// his turn and is not refused.
TEST_F(SpawnerTest, ManyThreadsMayAskAtOnce) {
  std::atomic<int> good{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      for (int round = 0; round < 25; ++round) {
        auto made = Make({.argv = {ChildProgram("exit_with"), "7"}});
        if (made.ok()) good += EndAndReap(*made) == ExitStatus::Exited(7);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(good, 100);
}

// The parent-death signal means that the actor system ended: here, its thread.
TEST_F(SpawnerTest, TheParentDeathSignalIsSentWhenItsThreadEnds) {
  auto made = Make({.argv = {ChildProgram("copy_input")},
                    .stdin_from = Stdio::Pipe(),
                    .parent_death_signal = SIGUSR1});
  ASSERT_TRUE(made.ok());
  spawner_thread_->Stop();
  EXPECT_EQ(EndAndReap(*made), ExitStatus::Killed(SIGUSR1));
}

// A process out of descriptors is told so and works on when it has some again.
TEST_F(SpawnerTest, SaysThatDescriptorsHaveRunOut) {
  if (kSanitized) GTEST_SKIP() << "the sanitizer itself needs descriptors";
  rlimit before;
  getrlimit(RLIMIT_NOFILE, &before);
  for (rlim_t free = 0; free < 12; ++free) {
    OwnedFd next(dup(0));
    rlimit low = {static_cast<rlim_t>(next.get()) + free, before.rlim_max};
    next.Close();
    setrlimit(RLIMIT_NOFILE, &low);
    auto made = Make({.argv = {ChildProgram("exit_with")},
                      .stdin_from = Stdio::Pipe(),
                      .stdout_to = Stdio::Pipe(),
                      .stderr_to = Stdio::Pipe()});
    setrlimit(RLIMIT_NOFILE, &before);
    if (made.ok()) {
      EXPECT_EQ(EndAndReap(*made), ExitStatus::Exited(0));
      continue;
    }
    auto failure = OsFailureOf(made.status());
    ASSERT_TRUE(failure.has_value()) << made.status();
    EXPECT_EQ(failure->error_number, EMFILE) << made.status();
  }
  auto made = Make({.argv = {ChildProgram("exit_with")}});
  ASSERT_TRUE(made.ok());
  EXPECT_EQ(EndAndReap(*made), ExitStatus::Exited(0));
}

// EAGAIN: a user who may have no more processes than the one that runs. Only
// root can become one.
TEST_F(SpawnerTest, SaysThatProcessesHaveRunOut) {
  if (getuid() != 0) GTEST_SKIP() << "needs root";
  auto first =
      Make({.argv = {"/bin/cat"}, .stdin_from = Stdio::Pipe(), .uid = 54321});
  ASSERT_TRUE(first.ok()) << first.status();
  auto made = Make({.argv = {"/bin/cat"},
                    .stdin_from = Stdio::Pipe(),
                    .limits = {{RLIMIT_NPROC, 0, 0}},
                    .uid = 54321});
  auto failure = OsFailureOf(made.status());
  ASSERT_TRUE(failure.has_value()) << made.status();
  EXPECT_EQ(failure->error_number, EAGAIN) << made.status();
  EXPECT_TRUE(absl::IsUnavailable(made.status())) << made.status();
  (void)first->stdin_pipe.Take();
  EXPECT_EQ(EndAndReap(*first), ExitStatus::Exited(0));
}

}  // namespace
}  // namespace troupe
