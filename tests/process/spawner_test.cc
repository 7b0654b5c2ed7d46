#include "process/spawner.h"

#include <sched.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <future>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/numbers.h"
#include "caf/send.hpp"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "io/io_thread.h"
#include "io/os_error.h"
#include "process/child_lease.h"
#include "process/reap.h"
#include "tests/process/ran_child.h"
#include "tests/support/leased_program.h"
#include "tests/support/no_kill_capability.h"
#include "tests/support/process_fixture.h"
#include "tests/support/sanitized.h"
#include "tests/support/seccomp_filter.h"

namespace troupe {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class SpawnerTest : public ProcessTest {
 protected:
  absl::StatusOr<ChildSpawned> Make(Command command) {
    return Ask<ChildSpawned>(
        spawner_,
        SpawnChild{std::move(command), std::make_shared<SpawnAttempt>()});
  }
  static ExitStatus EndAndReap(const ChildSpawned& spawned) {
    (void)AwaitExit(spawned.child->id());
    auto report = Reap(spawned.child->id());
    spawned.child->Settle();
    return report.ok() ? report->status : ExitStatus::Lost();
  }
};

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

// The fixture looks for the child.
TEST_F(SpawnerTest, AnAnswerThatNobodyKeepsEndsTheChild) {
  pid_t pid = -1;
  {
    auto made = Make(
        {.argv = {ChildProgram("copy_input")}, .stdin_from = Stdio::Pipe()});
    ASSERT_TRUE(made.ok());
    pid = made->child->pid();
    EXPECT_FALSE(IsGone(pid));
  }
  EXPECT_TRUE(WaitUntilGone(pid));
}

TEST_F(SpawnerTest, AnAbandonedLeaderIsEndedWithItsGroup) {
  pid_t leader, second;
  {
    auto made = Make({.argv = {ChildProgram("lead_group"), "ignore"},
                      .stdout_to = Stdio::Pipe(),
                      .group = ProcessGroup::kNewGroup});
    ASSERT_TRUE(made.ok());
    leader = made->child->pid();
    OwnedFd out = made->stdout_pipe.Take();
    std::string text;
    while (text.empty() || text.back() != '\n') text += ReadBytes(out.get(), 1);
    ASSERT_TRUE(absl::SimpleAtoi(text, &second));
    auto listed = Ask<GroupListed>(proc_reader_, ListGroup{leader});
    ASSERT_TRUE(listed.ok());
    EXPECT_THAT(listed->members, ElementsAre(second));
  }
  EXPECT_TRUE(WaitUntilGone(leader));
  WaitUntilDead(second);
}

// Rows V9, A7: its number was pinned by a leader that somebody else has reaped.
TEST_F(SpawnerTest, TheGroupOfALeaderThatIsGoneIsLeftAlone) {
  OwnedFd in, out;
  pid_t leader;
  {
    auto made = Make({.argv = {ChildProgram("lead_group"), "linger"},
                      .stdin_from = Stdio::Pipe(),
                      .stdout_to = Stdio::Pipe(),
                      .group = ProcessGroup::kNewGroup});
    ASSERT_TRUE(made.ok());
    leader = made->child->pid();
    in = made->stdin_pipe.Take();
    out = made->stdout_pipe.Take();
    while (ReadBytes(out.get(), 1) != "\n") {
    }
    ASSERT_TRUE(made->child->Signal(SIGKILL).ok());
    (void)AwaitExit(made->child->id());
    ASSERT_TRUE(Reap(made->child->id()).ok());
  }
  EXPECT_FALSE(Make({.argv = {"/no/such"}}).ok());  // so it is abandoned by now
  EXPECT_EQ(kill(-leader, SIGTERM), 0);
  in.Close();
  EXPECT_EQ(ReadToEnd(out.get()), "td");
}

// What was abandoned before the thread stops is ended, and what is abandoned
// after it, too.
TEST_F(SpawnerTest, AbandonedAroundItsEndNothingIsLeft) {
  std::vector<ChildSpawned> before, after;
  for (int i = 0; i < 20; ++i) {
    for (auto* list : {&before, &after}) {
      auto made = Make({.argv = {ChildProgram("copy_input")},
                        .stdin_from = Stdio::Pipe(),
                        .group = ProcessGroup::kNewGroup});
      ASSERT_TRUE(made.ok());
      list->push_back(*made);
    }
  }
  before.clear();
  spawner_thread_->Stop();
  EXPECT_EQ(Children().size(), 20u);
  after.clear();
  EXPECT_THAT(Children(), IsEmpty());
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

// Ask 33 of the peers: the filter is that of the spawner's thread alone.
TEST_F(SpawnerTest, EndsAChildThatItKnowsByItsPidAlone) {
  std::unique_ptr<IoThread> filtered;
  std::thread starter([&] {
    ASSERT_TRUE(RefuseCalls({{SYS_clone3, ENOSYS},
                             {SYS_clone, EPERM, CLONE_PIDFD},
                             {SYS_pidfd_open, EPERM},
                             {SYS_pidfd_send_signal, EPERM}}));
    auto thread = IoThread::Start(*system_, {.name = "filtered"});
    ASSERT_TRUE(thread.ok()) << thread.status();
    filtered = *std::move(thread);
  });
  starter.join();
  ASSERT_NE(filtered, nullptr);
  pid_t pid = -1;
  {
    auto made =
        Ask<ChildSpawned>(SpawnSpawner(filtered->host()),
                          SpawnChild{{.argv = {ChildProgram("copy_input")},
                                      .stdin_from = Stdio::Pipe(),
                                      .group = ProcessGroup::kNewGroup},
                                     std::make_shared<SpawnAttempt>()});
    ASSERT_TRUE(made.ok()) << made.status();
    pid = made->child->pid();
    EXPECT_FALSE(made->child->pidfd()->valid());
    EXPECT_FALSE(IsGone(pid));
  }
  EXPECT_TRUE(WaitUntilGone(pid));
  filtered->Stop();
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

// Without the right to signal strangers, as every user but root.
class StrangersSpawnerTest : private NoKillCapability, public SpawnerTest {
 protected:
  void SetUp() override {
    if (!MayHaveStrangers()) GTEST_SKIP() << "needs root";
  }
};

// Row V10: a child that may not be signalled (set-user-id) runs on when nobody
// answers for it. It holds up no spawn, and is reaped when it has ended.
TEST_F(StrangersSpawnerTest, AChildThatItMayNotKillHoldsUpNobody) {
  std::promise<void> ended;
  OwnedFd in;
  pid_t pid;
  {
    auto made = Make({.argv = {"/bin/cat"},
                      .stdin_from = Stdio::Pipe(),
                      .group = ProcessGroup::kNewGroup,
                      .uid = kStrangersUid});
    ASSERT_TRUE(made.ok()) << made.status();
    pid = made->child->pid();
    in = made->stdin_pipe.Take();
    made->child->AtEnd([&] { ended.set_value(); }, ChildLease::Until::kReaped);
    EXPECT_TRUE(absl::IsPermissionDenied(made->child->Signal(SIGKILL)));
  }
  auto made = Make({.argv = {ChildProgram("exit_with"), "7"}});
  ASSERT_TRUE(made.ok()) << made.status();
  EXPECT_EQ(EndAndReap(*made), ExitStatus::Exited(7));
  EXPECT_FALSE(IsDead(pid));
  in.Close();
  ended.get_future().wait();
  EXPECT_TRUE(IsGone(pid));
}

// Not even the zombie may be signalled.
TEST_F(StrangersSpawnerTest, AChildThatHasEndedIsReapedAtOnce) {
  auto made = Make({.argv = {"/bin/true"}, .uid = kStrangersUid});
  ASSERT_TRUE(made.ok()) << made.status();
  const pid_t pid = made->child->pid();
  (void)AwaitExit(made->child->id());
  EXPECT_TRUE(absl::IsPermissionDenied(made->child->Signal(SIGKILL)));
  StopAll();
  made = absl::UnknownError("abandoned");
  EXPECT_TRUE(IsGone(pid));
}

// It is not waited for at the end either; then it is its next parent's.
TEST_F(StrangersSpawnerTest, EndsThoughAChildThatItMayNotKillRunsOn) {
  auto made = Make({.argv = {"/bin/cat"},
                    .stdin_from = Stdio::Pipe(),
                    .uid = kStrangersUid});
  ASSERT_TRUE(made.ok()) << made.status();
  const pid_t pid = made->child->pid();
  OwnedFd in = made->stdin_pipe.Take();
  SharedFd pidfd = made->child->pidfd();
  made = absl::UnknownError("abandoned");
  StopAll();
  EXPECT_FALSE(IsDead(pid));
  in.Close();
  (void)AwaitExit(ChildId::ByPidfd(pidfd->get()));
  EXPECT_EQ(Reap(ChildId::ByPidfd(pidfd->get()))->status,
            ExitStatus::Exited(0));
}

}  // namespace
}  // namespace troupe
