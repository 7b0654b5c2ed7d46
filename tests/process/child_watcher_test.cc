// The C rows of the asyncio table, one suite for all five watchers. Where they
// differ the test has a table or says `IsAnyOf`.
#include "process/child_watcher.h"

#include <signal.h>

#include <string>
#include <thread>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "caf/exit_reason.hpp"
#include "caf/send.hpp"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "io/resident.h"
#include "tests/process/watcher_fixture.h"

namespace troupe {
namespace {

using ::testing::IsEmpty;

constexpr WatcherKind kPidfd = WatcherKind::kPidfd;
constexpr WatcherKind kSafe = WatcherKind::kSafe;
constexpr WatcherKind kFast = WatcherKind::kFast;
constexpr WatcherKind kMultiLoop = WatcherKind::kMultiLoop;
constexpr WatcherKind kThreaded = WatcherKind::kThreaded;

constexpr char kPending[] =
    "A loop is being detached from a child watcher with pending handlers";

// No process can have it: it is the kernel's limit (proc(5), pid_max).
constexpr pid_t kNoSuchPid = 4 * 1024 * 1024;

class ChildWatcherTest : public WatcherTest,
                         public ::testing::WithParamInterface<WatcherKind> {
 protected:
  void SetUp() override { Use(GetParam()); }

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

  // Returns when another child's exit was watched and told from start to end,
  // so that whatever came before has been handled.
  void RunAnother() {
    pid_t other = NewChild();
    ASSERT_EQ(Watch(other), "");
    End(other);
    ASSERT_TRUE(trace_->WaitFor(Told(other, 0)));
  }
};

INSTANTIATE_TEST_SUITE_P(All, ChildWatcherTest,
                         ::testing::Values(kPidfd, kSafe, kFast, kMultiLoop,
                                           kThreaded),
                         [](const auto& kind) { return NameOf(kind.param); });

// -- exits --------------------------------------------------------------------

// Rows C1, C28, RC1, RC2; core rule 6: told once, the zombie stays until
// ReapChild. `fast` has reaped it when it tells.
TEST_P(ChildWatcherTest, TellsEachExitOnceAndLeavesTheZombie) {
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

TEST_P(ChildWatcherTest, ReapsWhenToldHoweverOften) {
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
TEST_P(ChildWatcherTest, GoesOnWatchingAChildThatIsReapedBeforeItsEnd) {
  pid_t a = NewChild();
  ASSERT_EQ(Watch(a), "");
  caf::anon_send(watcher_, ReapChild{a});
  caf::anon_send(watcher_, ReapChild{1});
  EXPECT_EQ(Info().watched, 1u);
  End(a);
  ASSERT_TRUE(trace_->WaitFor(Told(a, 0)));
}

// Row C6.
TEST_P(ChildWatcherTest, TellsOfAChildThatHadEndedBefore) {
  for (bool by_pid : {false, true}) {
    pid_t a = NewChild({ChildProgram("exit_with"), "3"});
    WaitForEndOf(a);
    ASSERT_EQ(by_pid ? WatchByPid(a) : Watch(a), "");
    ASSERT_TRUE(trace_->WaitFor(Told(a, 3)));
  }
}

TEST_P(ChildWatcherTest, WatchesAChildByItsPidAlone) {
  pid_t a = NewChild();
  ASSERT_EQ(WatchByPid(a), "");
  Kill(a, SIGKILL);
  ASSERT_TRUE(trace_->WaitFor(Told(a, -9)));
  caf::anon_send(watcher_, ReapChild{a});
  EXPECT_TRUE(WaitUntilGone(a));
}

// Row C27: one SIGCHLD stands for ten. The kernel merges them as it likes; here
// the first ones go nowhere, and the last one is ours.
TEST_P(ChildWatcherTest, TellsOfAllThatEndTogether) {
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
TEST_P(ChildWatcherTest, TellsEachOfManyChildrenOnceWithItsOwnCode) {
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

// Rows C7, RC4, V20, V26, A6: lost is a status of its own; `fast` notices when
// a SIGCHLD finds nobody (in asyncio it hangs).
TEST_P(ChildWatcherTest, AStatusThatSomebodyElseTookIsLost) {
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
  EXPECT_FALSE(WasTold(b));
  End(b);
  ASSERT_TRUE(trace_->WaitFor(Told(b, 0)));
}

// Row C7: the same before it is watched; then `fast` may be who took it.
TEST_P(ChildWatcherTest, AStatusThatWasTakenBeforeTheWatchIsLost) {
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

// Row C11; `fast` never tells in asyncio.
TEST_P(ChildWatcherTest, AnUnknownPidIsAnErrorOrLost) {
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
TEST_P(ChildWatcherTest, AStrangerIsNeverToldOrLost) {
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
TEST_P(ChildWatcherTest, LeavesAnotherOwnersChildAlone) {
  pid_t stranger = NewChild({ChildProgram("exit_with"), "5"});
  WaitForEndOf(stranger);
  RunAnother();
  auto report = Reap(PidfdOf(stranger)->get());
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
TEST_P(ChildWatcherTest, AnIgnoredSigchldLosesTheStatusUnlessItIsCaught) {
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

// -- who is told --------------------------------------------------------------

// Row C9: the second wins, the first is told nothing; also with `threaded`.
TEST_P(ChildWatcherTest, TheSecondObserverWinsIfItAsksForThat) {
  pid_t a = NewChild();
  auto first = std::make_shared<Trace>();
  auto second = NewListener();
  ASSERT_EQ(
      Watch(a, system_->spawn<caf::hidden>(
                   [=](ChildObserver::pointer) -> ChildObserver::behavior_type {
                     return {[=](const ChildExited&) { first->Add("told"); }};
                   })),
      "");
  EXPECT_EQ(Watch(a, second), absl::StrCat("child ", a, " is watched already"));
  EXPECT_EQ(Watch(a, second, /*replace=*/true), "");
  EXPECT_EQ(Info().watched, 1u);
  Kill(a, SIGTERM);
  ASSERT_TRUE(trace_->WaitFor(Told(a, -15)));
  RunAnother();
  EXPECT_EQ(trace_->Count(Told(a, -15)), 1u);
  EXPECT_THAT(first->events(), IsEmpty());
}

// A watch that is over does not stand in the way of the next one: the pid may
// be another child's. Here it is a zombie still, and told again.
TEST_P(ChildWatcherTest, AChildMayBeWatchedAgainAfterItsExitWasTold) {
  if (kind() == kFast) GTEST_SKIP() << "it has reaped the child";
  pid_t a = NewChild();
  ASSERT_EQ(Watch(a), "");
  End(a);
  ASSERT_TRUE(trace_->WaitFor(Told(a, 0)));
  ASSERT_EQ(Watch(a), "");
  ASSERT_TRUE(trace_->WaitFor(Told(a, 0), 2));
}

// Row C10: true, then false; nothing is told afterwards, also with `threaded`,
// and the child is left unreaped. With `fast` it is a stranger's then.
TEST_P(ChildWatcherTest, UnwatchesOnceAndForGood) {
  pid_t a = NewChild();
  ASSERT_EQ(Watch(a), "");
  EXPECT_TRUE(Unwatch(a));
  EXPECT_FALSE(Unwatch(a));
  EXPECT_FALSE(Unwatch(kNoSuchPid));
  EXPECT_EQ(Info().watched, 0u);
  End(a);
  WaitForEndOf(a);
  RunAnother();
  EXPECT_FALSE(WasTold(a));
  if (kind() == kFast) {
    EXPECT_TRUE(WaitForLog(absl::StrCat(
        "Caught subprocess termination from unknown pid: ", a, " -> 0")));
  } else {
    EXPECT_EQ(StateOf(a), 'Z');
  }
}

// Row C10: there is nothing left to take back once it is told.
TEST_P(ChildWatcherTest, UnwatchesNoChildWhoseExitIsTold) {
  pid_t a = NewChild();
  ASSERT_EQ(Watch(a), "");
  End(a);
  ASSERT_TRUE(trace_->WaitFor(Told(a, 0)));
  EXPECT_FALSE(Unwatch(a));
  caf::anon_send(watcher_, ReapChild{a});  // which is still to be done
  EXPECT_TRUE(WaitUntilGone(a));
}

// Rows C10, C18: what is unwatched while it ends is told before the answer or
// not at all, and what is watched again is told once.
TEST_P(ChildWatcherTest, AnUnwatchMayRaceWithTheExit) {
  for (int round = 0; round < 30; ++round) {
    pid_t a = NewChild();
    ASSERT_EQ(Watch(a), "");
    End(a);
    if (Unwatch(a)) {
      ASSERT_EQ(Watch(a), "");
    }
    ASSERT_TRUE(trace_->WaitFor(Told(a, 0)));
    EXPECT_EQ(trace_->Count(Told(a, 0)), 1u);
  }
}

// Rows C15, C29, V3: the observer is told wherever it lives, no loop is
// attached; on a worker, on the relay's thread, and next to the watcher.
TEST_P(ChildWatcherTest, TellsObserversOfAnyHost) {
  auto resident = [&](IoHost& host) -> ChildObserver {
    return SpawnResident<caf::hidden>(
        host,
        [trace = trace_, &host](
            Resident<ChildObserver::base>*) -> ChildObserver::behavior_type {
          return {[=, &host](const ChildExited& exited) {
            EXPECT_TRUE(host.OnThread());
            trace->Add(Told(exited.pid, exited.report.status.ReturnCode()));
          }};
        });
  };
  pid_t a = NewChild(), b = NewChild(), c = NewChild();
  ASSERT_EQ(Watch(a, NewListener()), "");
  ASSERT_EQ(Watch(b, resident(host())), "");
  ASSERT_EQ(Watch(c, resident(own_->host())), "");
  for (pid_t pid : {a, b, c}) {
    End(pid);
    ASSERT_TRUE(trace_->WaitFor(Told(pid, 0)));
  }
}

// Row C16: an observer that has died is told nothing, and holds no child.
TEST_P(ChildWatcherTest, ForgetsAllChildrenOfADeadObserver) {
  pid_t a = NewChild(), b = NewChild();
  auto listener = NewListener();
  ASSERT_EQ(Watch(b, listener), "");
  ASSERT_EQ(Watch(a, listener), "");
  End(a);
  ASSERT_TRUE(trace_->WaitFor(Told(a, 0)));
  caf::anon_send(watcher_, ReapChild{a});
  EXPECT_TRUE(WaitUntilGone(a));
  caf::anon_send_exit(listener, caf::exit_reason::kill);
  ASSERT_TRUE(log_->WaitUntil([&](const std::vector<std::string>& lines) {
    return !lines.empty() &&
           absl::EndsWith(lines.back(),
                          absl::StrCat(" that handles pid ", b, " is closed"));
  }));
  EXPECT_EQ(Info().watched, 0u);
  ASSERT_EQ(Watch(b), "");
  End(b);
  ASSERT_TRUE(trace_->WaitFor(Told(b, 0)));
  EXPECT_EQ(trace_->Count(Told(b, 0)), 1u);
}

TEST_P(ChildWatcherTest, RefusesWhatIsNoChild) {
  for (pid_t pid : {0, -1, -1000}) {  // groups, or anybody, for waitpid(2)
    EXPECT_EQ(WatchByPid(pid), absl::StrCat("no process has the pid ", pid));
  }
  EXPECT_EQ(Ask<WatchingChild>(watcher_, WatchChild{1, nullptr, {}}).status(),
            absl::InvalidArgumentError("no observer"));
  EXPECT_EQ(Info().watched, 0u);
}

// Row C19: in debug mode each exit is a line, but not with `pidfd`.
TEST_P(ChildWatcherTest, LogsExits) {
  pid_t a = NewChild();
  ASSERT_EQ(Watch(a), "");
  Kill(a, SIGTERM);
  ASSERT_TRUE(trace_->WaitFor(Told(a, -15)));
  EXPECT_EQ(
      log_->Count(absl::StrCat("process ", a, " exited with returncode -15")),
      kind() == kPidfd ? 0u : 1u);
}

// -- attach, detach, close ----------------------------------------------------

struct Difference {
  bool detaches;      // C3; for the others it is nothing
  bool keeps;         // the children, while it is detached
  bool closes;        // C2, C5: inactive after a close
  bool warns_closed;  // C5: of the children it forgets then
};

Difference DifferenceOf(WatcherKind kind) {
  switch (kind) {
    case kPidfd:
      return {true, false, true, true};
    case kSafe:
    case kFast:
      return {true, true, true, false};
    case kMultiLoop:
      return {false, true, true, false};
    case kThreaded:
      break;
  }
  return {false, true, false, false};
}

// Rows C2, C3, C4.
TEST_P(ChildWatcherTest, IsDetachedAndAttachedAgain) {
  const Difference row = DifferenceOf(kind());
  pid_t a = NewChild();
  ASSERT_EQ(Watch(a), "");
  EXPECT_TRUE(Info().active);
  Detach();
  EXPECT_EQ(Info().active, !row.detaches);
  EXPECT_EQ(Info().watched, row.keeps ? 1u : 0u);
  EXPECT_EQ(Logged(kPending), row.detaches);
  End(a);
  WaitForEndOf(a);
  if (row.detaches) {
    EXPECT_EQ(
        Watch(a, NewListener(), /*replace=*/true),
        absl::StrCat("the ", Info().kind, " child watcher is not attached"));
    EXPECT_FALSE(WasTold(a));
  }
  EXPECT_EQ(Attach(), "");
  EXPECT_TRUE(Info().active);
  if (row.keeps) {
    ASSERT_TRUE(trace_->WaitFor(Told(a, 0)));
  } else {
    RunAnother();
    EXPECT_FALSE(WasTold(a));
  }
}

// Row C3: no warning when nothing is pending.
TEST_P(ChildWatcherTest, IsDetachedSilentlyWithoutChildren) {
  pid_t a = NewChild();
  ASSERT_EQ(Watch(a), "");
  EXPECT_TRUE(Unwatch(a));
  Detach();
  Detach();
  EXPECT_FALSE(Logged(kPending));
  EXPECT_EQ(Attach(), "");
  EXPECT_EQ(Attach(), "");  // C4: asks all once more
  RunAnother();
}

// Rows C2, C5, C23: SIGCHLD is what it was before, and was never touched by
// those that do not need it.
TEST_P(ChildWatcherTest, IsClosedAndForgetsItsChildren) {
  const Difference row = DifferenceOf(kind());
  EXPECT_EQ(Sigchld(), IsAnyOf({kSafe, kFast, kMultiLoop}) ? 'c' : 'd');
  pid_t a = NewChild();
  ASSERT_EQ(Watch(a), "");
  EXPECT_TRUE(Close().ok());
  EXPECT_EQ(Sigchld(), 'd');
  EXPECT_EQ(Info().active, !row.closes);
  EXPECT_EQ(Info().watched, 0u);
  EXPECT_EQ(Logged(kPending), row.warns_closed);
  EXPECT_TRUE(Close().ok());
  End(a);
  WaitForEndOf(a);
  EXPECT_EQ(Attach(), "");
  RunAnother();
  EXPECT_FALSE(WasTold(a));
}

// Row C5: a zombie whose exit was told is still reaped.
TEST_P(ChildWatcherTest, ReapsWhatItHasToldAlsoWhenItIsClosed) {
  pid_t a = NewChild();
  ASSERT_EQ(Watch(a), "");
  End(a);
  ASSERT_TRUE(trace_->WaitFor(Told(a, 0)));
  EXPECT_TRUE(Close().ok());
  caf::anon_send(watcher_, ReapChild{a});
  EXPECT_TRUE(WaitUntilGone(a));
}

// A watch that has not been answered is, whatever happens.
TEST_P(ChildWatcherTest, AnswersEveryWatchWhenItIsDetachedMeanwhile) {
  for (int round = 0; round < 20; ++round) {
    ChildWatcher fresh =
        SpawnChildWatcher(kind(), own_->host(), own_->actor(), relay_);
    pid_t a = NewChild();
    caf::scoped_actor self(*system_);
    auto answer = self->request(fresh, kPatience,
                                WatchChild{a, PidfdOf(a), NewListener()});
    caf::anon_send(fresh, DetachWatcher{});
    caf::anon_send(fresh, AttachWatcher{});
    caf::anon_send(fresh, CloseWatcher{});
    int answers = 0;
    answer.receive([&](const WatchingChild&) { ++answers; },
                   [&](const caf::error& why) {
                     EXPECT_TRUE(absl::IsCancelled(StatusOf(why)))
                         << StatusOf(why);
                     ++answers;
                   });
    EXPECT_EQ(answers, 1);
  }
}

// -- ends ---------------------------------------------------------------------

// Row V17; the fixture looks for descriptors (V16) and threads.
TEST_P(ChildWatcherTest, EndsWithItsHostWhileAChildRuns) {
  pid_t a = NewChild();
  ASSERT_EQ(Watch(a), "");
  own_->Stop();
  EXPECT_NE(StateOf(a), 'Z');
  EXPECT_NE(StateOf(a), '-');
  // Row C20.
  EXPECT_EQ(Logged("the threaded child watcher has registered but not finished "
                   "child processes"),
            kind() == kThreaded);
}

// Row C23 for a watcher that is killed: its lease ends with it.
TEST_P(ChildWatcherTest, LeavesChildrenAndSigchldAloneWhenItIsKilled) {
  pid_t a = NewChild();
  ASSERT_EQ(Watch(a), "");
  caf::anon_send_exit(watcher_, caf::exit_reason::kill);
  for (int tries = 0; Sigchld() == 'c' && tries < 1000000; ++tries) {
    std::this_thread::yield();
  }
  EXPECT_EQ(Sigchld(), 'd');
  EXPECT_NE(StateOf(a), '-');
  EXPECT_NE(Watch(a), "");
}

}  // namespace
}  // namespace troupe
