// The C rows of the asyncio table on who is told of an exit, for all five
// watchers. Where they differ the test says so.
#include <signal.h>

#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "caf/exit_reason.hpp"
#include "caf/send.hpp"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "io/resident.h"
#include "process/child_watcher.h"
#include "tests/process/every_watcher.h"

namespace troupe {
namespace {

using ::testing::IsEmpty;

class WatcherObserversTest : public EveryWatcherTest {};

INSTANTIATE_TEST_SUITE_P(All, WatcherObserversTest,
                         ::testing::ValuesIn(kEveryKind), NameOfKind);

// Row C9: the second wins, the first is told nothing; also with `threaded`.
TEST_P(WatcherObserversTest, TheSecondObserverWinsIfItAsksForThat) {
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
// be another child's. Here it is a zombie still, and told again; `fast` has
// reaped it and given its status away.
TEST_P(WatcherObserversTest, AChildMayBeWatchedAgainAfterItsExitWasTold) {
  pid_t a = NewChild();
  ASSERT_EQ(Watch(a), "");
  End(a);
  ASSERT_TRUE(trace_->WaitFor(Told(a, 0)));
  ASSERT_EQ(Watch(a), "");
  if (kind() == kFast) {
    ASSERT_TRUE(trace_->WaitFor(Told(a, 255)));
    EXPECT_EQ(trace_->Count(Told(a, 0)), 1u);
  } else {
    ASSERT_TRUE(trace_->WaitFor(Told(a, 0), 2));
  }
}

// Row C10: true, then false; nothing is told afterwards, also with `threaded`,
// and the child is left unreaped. With `fast` it is a stranger's then.
TEST_P(WatcherObserversTest, UnwatchesOnceAndForGood) {
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
TEST_P(WatcherObserversTest, UnwatchesNoChildWhoseExitIsTold) {
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
TEST_P(WatcherObserversTest, AnUnwatchMayRaceWithTheExit) {
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
TEST_P(WatcherObserversTest, TellsObserversOfAnyHost) {
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
TEST_P(WatcherObserversTest, ForgetsAllChildrenOfADeadObserver) {
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

TEST_P(WatcherObserversTest, RefusesWhatIsNoChild) {
  for (pid_t pid : {0, -1, -1000}) {  // groups, or anybody, for waitpid(2)
    EXPECT_EQ(WatchByPid(pid), absl::StrCat("no process has the pid ", pid));
  }
  EXPECT_EQ(Ask<WatchingChild>(watcher_, WatchChild{1, nullptr, {}}).status(),
            absl::InvalidArgumentError("no observer"));
  EXPECT_EQ(Info().watched, 0u);
}

// Row C19: in debug mode each exit is a line, but not with `pidfd`.
TEST_P(WatcherObserversTest, LogsExits) {
  pid_t a = NewChild();
  ASSERT_EQ(Watch(a), "");
  Kill(a, SIGTERM);
  ASSERT_TRUE(trace_->WaitFor(Told(a, -15)));
  EXPECT_EQ(
      log_->Count(absl::StrCat("process ", a, " exited with returncode -15")),
      kind() == kPidfd ? 0u : 1u);
}

}  // namespace
}  // namespace troupe
