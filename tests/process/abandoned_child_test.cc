// Children that nobody answers for: the spawner ends and reaps them.
#include <sched.h>
#include <signal.h>
#include <sys/syscall.h>

#include <cerrno>
#include <future>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/numbers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "io/io_thread.h"
#include "process/spawner.h"
#include "tests/process/ran_child.h"
#include "tests/process/spawner_fixture.h"
#include "tests/support/no_kill_capability.h"
#include "tests/support/seccomp_filter.h"

namespace troupe {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class AbandonedChildTest : public SpawnerTest {};

// The fixture looks for the child.
TEST_F(AbandonedChildTest, AnAnswerThatNobodyKeepsEndsTheChild) {
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

TEST_F(AbandonedChildTest, AnAbandonedLeaderIsEndedWithItsGroup) {
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
TEST_F(AbandonedChildTest, TheGroupOfALeaderThatIsGoneIsLeftAlone) {
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
TEST_F(AbandonedChildTest, AbandonedAroundItsEndNothingIsLeft) {
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

// Ask 33 of the peers: the filter is that of the spawner's thread alone.
TEST_F(AbandonedChildTest, EndsAChildThatItKnowsByItsPidAlone) {
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

// Without the right to signal strangers, as every user but root.
class AbandonedStrangerTest : private NoKillCapability,
                              public AbandonedChildTest {
 protected:
  void SetUp() override {
    if (!MayHaveStrangers()) GTEST_SKIP() << "needs root";
  }
};

// Row V10: a child that may not be signalled (set-user-id) runs on when nobody
// answers for it. It holds up no spawn, and is reaped when it has ended.
TEST_F(AbandonedStrangerTest, AChildThatItMayNotKillHoldsUpNobody) {
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
TEST_F(AbandonedStrangerTest, AChildThatHasEndedIsReapedAtOnce) {
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
TEST_F(AbandonedStrangerTest, EndsThoughAChildThatItMayNotKillRunsOn) {
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
