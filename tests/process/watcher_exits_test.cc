// The C rows of the asyncio table on exits and their statuses, for all five
// watchers. Where they differ the test says so.
#include <signal.h>
#include <sys/eventfd.h>

#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "caf/send.hpp"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "io/owned_fd.h"
#include "process/child_watcher.h"
#include "process/exit_status.h"
#include "process/reap.h"
#include "tests/process/every_watcher.h"
#include "tests/support/standstill.h"

namespace troupe {
namespace {

using ::testing::AllOf;
using ::testing::Ne;

class WatcherExitsTest : public EveryWatcherTest {
 protected:
  // C7: the text of a status that somebody else took.
  std::string LostText(pid_t pid) const {
    if (kind() == kPidfd) {
      return absl::StrCat("child process pid ", pid,
                          " exit status already read:  will report returncode "
                          "255");
    }
    return absl::StrCat("Unknown child process pid ", pid,
                        ", will report returncode 255");
  }
};

INSTANTIATE_TEST_SUITE_P(All, WatcherExitsTest, ::testing::ValuesIn(kEveryKind),
                         NameOfKind);

// Rows C1, C28, RC1, RC2; core rule 6: told once, the zombie stays until
// ReapChild. `fast` has reaped it when it tells.
TEST_P(WatcherExitsTest, TellsEachExitOnceAndLeavesTheZombie) {
  pid_t a = NewChild(), b = NewChild();
  auto listener = NewListener();
  ASSERT_EQ(Watch(a, listener), "");
  ASSERT_EQ(Watch(b, listener), "");
  EXPECT_EQ(Info().watched, 2u);
  End(b);
  ASSERT_TRUE(trace_->WaitFor(Told(b, 0)));
  EXPECT_EQ(StateOf(b), kind() == kFast ? '-' : 'Z');
  EXPECT_FALSE(WasTold(a));
  Kill(a, SIGTERM);
  ASSERT_TRUE(trace_->WaitFor(Told(a, -15)));
  raise(SIGCHLD);  // C28: one more means nothing
  RunAnother();
  EXPECT_EQ(trace_->Count(Told(a, -15)), 1u);
  EXPECT_EQ(trace_->Count(Told(b, 0)), 1u);
  EXPECT_EQ(Info().watched, 0u);
}

TEST_P(WatcherExitsTest, ReapsWhenToldHoweverOften) {
  pid_t a = NewChild();
  ASSERT_EQ(Watch(a), "");
  End(a);
  ASSERT_TRUE(trace_->WaitFor(Told(a, 0)));
  caf::anon_send(watcher_, ReapChild{a});
  caf::anon_send(watcher_, ReapChild{a});
  EXPECT_TRUE(WaitUntilGone(a));
}

// A child that runs is not hurt by a mistaken ReapChild, nor forgotten: its pid
// may have been that of another one (V9).
TEST_P(WatcherExitsTest, GoesOnWatchingAChildThatIsReapedBeforeItsEnd) {
  pid_t a = NewChild();
  ASSERT_EQ(Watch(a), "");
  caf::anon_send(watcher_, ReapChild{a});
  caf::anon_send(watcher_, ReapChild{1});
  EXPECT_EQ(Info().watched, 1u);
  End(a);
  ASSERT_TRUE(trace_->WaitFor(Told(a, 0)));
}

// Row C6.
TEST_P(WatcherExitsTest, TellsOfAChildThatHadEndedBefore) {
  for (bool by_pid : {false, true}) {
    pid_t a = NewChild({ChildProgram("exit_with"), "3"});
    WaitForEndOf(a);
    ASSERT_EQ(by_pid ? WatchByPid(a) : Watch(a), "");
    ASSERT_TRUE(trace_->WaitFor(Told(a, 3)));
  }
}

TEST_P(WatcherExitsTest, WatchesAChildByItsPidAlone) {
  pid_t a = NewChild();
  ASSERT_EQ(WatchByPid(a), "");
  Kill(a, SIGKILL);
  ASSERT_TRUE(trace_->WaitFor(Told(a, -9)));
  caf::anon_send(watcher_, ReapChild{a});
  EXPECT_TRUE(WaitUntilGone(a));
}

// Row C27: one SIGCHLD stands for ten. The kernel merges them as it likes; here
// the first ones go nowhere, and the last one is ours.
TEST_P(WatcherExitsTest, TellsOfAllThatEndTogether) {
  std::vector<pid_t> pids;
  auto listener = NewListener();
  for (int i = 0; i < 10; ++i) {
    pids.push_back(NewChild());
    ASSERT_EQ(Watch(pids.back(), listener), "");
  }
  struct sigaction nowhere = {}, caught = {};
  nowhere.sa_handler = SIG_DFL;
  sigaction(SIGCHLD, &nowhere, &caught);
  for (pid_t pid : pids) {
    End(pid);
    WaitForEndOf(pid);
  }
  sigaction(SIGCHLD, &caught, nullptr);
  raise(SIGCHLD);
  for (pid_t pid : pids) ASSERT_TRUE(trace_->WaitFor(Told(pid, 0)));
  EXPECT_EQ(trace_->events().size(), pids.size());
}

// Rows C26, A6; invariant 6: whatever comes first, the watch or the exit.
TEST_P(WatcherExitsTest, TellsEachOfManyChildrenOnceWithItsOwnCode) {
  std::vector<std::string> expected;
  auto listener = NewListener();
  for (int code = 0; code < 60; ++code) {
    pid_t pid = NewChild({ChildProgram("exit_with"), absl::StrCat(code)});
    expected.push_back(Told(pid, code));
    caf::anon_send(watcher_, WatchChild{pid, PidfdOf(pid), listener});
  }
  for (const std::string& told : expected) {
    ASSERT_TRUE(trace_->WaitFor(told));
  }
  EXPECT_THAT(trace_->events(), ::testing::UnorderedElementsAreArray(expected));
}

// -- statuses that are not to be had ------------------------------------------

// Rows C7, RC4, V20, V21, V26, A6: lost is a status of its own and no failure;
// `fast` notices when a SIGCHLD finds nobody (in asyncio it hangs).
TEST_P(WatcherExitsTest, AStatusThatSomebodyElseTookIsLost) {
  pid_t a = NewChild(), b = NewChild();
  ASSERT_EQ(Watch(a), "");
  ASSERT_EQ(Watch(b), "");
  WhileStandingStill(own_->host(), [&] {
    Kill(a, SIGTERM);
    WaitForEndOf(a);
    Steal(a);
  });
  ASSERT_TRUE(trace_->WaitFor(Told(a, 255)));
  EXPECT_EQ(log_->Count(LostText(a)), 1u);
  EXPECT_FALSE(Logged("waitid"));
  EXPECT_FALSE(WasTold(b));
  End(b);
  ASSERT_TRUE(trace_->WaitFor(Told(b, 0)));
}

// Row C7: the same before it is watched; then `fast` may be who took it.
TEST_P(WatcherExitsTest, AStatusThatWasTakenBeforeTheWatchIsLost) {
  pid_t a = NewChild({ChildProgram("exit_with"), "3"});
  WaitForEndOf(a);
  WhileStandingStill(own_->host(), [&] { Steal(a); });
  ASSERT_EQ(Watch(a), "");
  if (kind() == kFast) {  // it may have been the thief, and knows
    ASSERT_TRUE(trace_->WaitForPrefix(absl::StrCat(a, " ")));
  } else {
    ASSERT_TRUE(trace_->WaitFor(Told(a, 255)));
    EXPECT_EQ(log_->Count(LostText(a)), 1u);
  }
}

// Row C17: a look that fails. Nothing is thrown; it is logged, that child is
// lost, and the others are told as ever.
TEST_P(WatcherExitsTest, AChildThatCannotBeLookedAtIsLostAndNobodyElse) {
  pid_t a = NewChild(), b = NewChild();
  ASSERT_EQ(Watch(b), "");
  auto no_pidfd = std::make_shared<const OwnedFd>(eventfd(1, EFD_CLOEXEC));
  ASSERT_EQ(Send({a, no_pidfd, NewListener()}), "");
  ASSERT_TRUE(trace_->WaitFor(Told(a, 255)));
  EXPECT_EQ(
      log_->Count(absl::StrCat("child ", a, ": waitid: Bad file descriptor")),
      kind() == kFast ? 0u : 1u);
  EXPECT_EQ(log_->Count(LostText(a)), 1u);
  End(b);
  ASSERT_TRUE(trace_->WaitFor(Told(b, 0)));
  EXPECT_THAT(StateOf(a), AllOf(Ne('Z'), Ne('-')));  // it runs
}

// Row C11; `fast` never tells in asyncio.
TEST_P(WatcherExitsTest, AnUnknownPidIsAnErrorOrLost) {
  if (kind() == kPidfd) {
    EXPECT_EQ(WatchByPid(kNoSuchPid),
              absl::StrCat("pidfd_open \"", kNoSuchPid, "\": No such process"));
    EXPECT_EQ(Info().watched, 0u);
  } else {
    EXPECT_EQ(WatchByPid(kNoSuchPid), "");
    ASSERT_TRUE(trace_->WaitFor(Told(kNoSuchPid, 255)));
    EXPECT_EQ(log_->Count(LostText(kNoSuchPid)), 1u);
  }
}

// Row C12: a process that is no child of ours.
TEST_P(WatcherExitsTest, AStrangerIsNeverToldOrLost) {
  ASSERT_EQ(WatchByPid(1), "");
  if (kind() == kPidfd) {
    RunAnother();
    EXPECT_FALSE(WasTold(1));
    EXPECT_TRUE(Unwatch(1));
  } else {
    ASSERT_TRUE(trace_->WaitFor(Told(1, 255)));
    EXPECT_FALSE(Unwatch(1));
  }
}

// Rows C8, V8: exactly one owner may reap. `fast` is no such citizen.
TEST_P(WatcherExitsTest, LeavesAnotherOwnersChildAlone) {
  pid_t stranger = NewChild({ChildProgram("exit_with"), "5"});
  WaitForEndOf(stranger);
  RunAnother();
  auto report = Reap(ChildId::ByPidfd(PidfdOf(stranger)->get()));
  ASSERT_TRUE(report.ok());
  if (kind() == kFast) {
    EXPECT_TRUE(report->status.lost());
    EXPECT_TRUE(WaitForLog(absl::StrCat(
        "Caught subprocess termination from unknown pid: ", stranger,
        " -> 5")));
  } else {
    EXPECT_EQ(report->status, ExitStatus::Exited(5));
  }
}

// Rows C22, V20: a program that ignores SIGCHLD has the kernel reap. Those that
// catch it thereby end that, and give it back.
TEST_P(WatcherExitsTest, AnIgnoredSigchldLosesTheStatusUnlessItIsCaught) {
  ASSERT_TRUE(Close().ok());
  signal(SIGCHLD, SIG_IGN);
  ASSERT_EQ(Attach(), "");
  pid_t a = NewChild({ChildProgram("copy_input")});
  ASSERT_EQ(Watch(a), "");
  Kill(a, SIGTERM);
  const bool catches = IsAnyOf({kSafe, kFast, kMultiLoop});
  EXPECT_TRUE(trace_->WaitFor(Told(a, catches ? -15 : 255)));
  EXPECT_EQ(Logged(LostText(a)), !catches);
  EXPECT_TRUE(Close().ok());
  EXPECT_EQ(Sigchld(), 'i');
  signal(SIGCHLD, SIG_DFL);
}

}  // namespace
}  // namespace troupe
