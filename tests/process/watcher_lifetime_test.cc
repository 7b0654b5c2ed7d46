// The C rows of the asyncio table on a watcher's attach, detach, close and end,
// for all five. Where they differ there is a table.
#include <signal.h>

#include <chrono>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "caf/exit_reason.hpp"
#include "caf/scoped_actor.hpp"
#include "caf/send.hpp"
#include "gtest/gtest.h"
#include "io/status_error.h"
#include "process/child_watcher.h"
#include "process/exit_status.h"
#include "tests/process/every_watcher.h"

namespace troupe {
namespace {

constexpr char kPending[] =
    "A loop is being detached from a child watcher with pending handlers";

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

class WatcherLifetimeTest : public EveryWatcherTest {};

INSTANTIATE_TEST_SUITE_P(All, WatcherLifetimeTest,
                         ::testing::ValuesIn(kEveryKind), NameOfKind);

// -- attach, detach, close ----------------------------------------------------

// Rows C2, C3, C4.
TEST_P(WatcherLifetimeTest, IsDetachedAndAttachedAgain) {
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
TEST_P(WatcherLifetimeTest, IsDetachedSilentlyWithoutChildren) {
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
TEST_P(WatcherLifetimeTest, IsClosedAndForgetsItsChildren) {
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
TEST_P(WatcherLifetimeTest, ReapsWhatItHasToldAlsoWhenItIsClosed) {
  pid_t a = NewChild();
  ASSERT_EQ(Watch(a), "");
  End(a);
  ASSERT_TRUE(trace_->WaitFor(Told(a, 0)));
  EXPECT_TRUE(Close().ok());
  caf::anon_send(watcher_, ReapChild{a});
  EXPECT_TRUE(WaitUntilGone(a));
}

// A watch that has not been answered is, whatever happens.
TEST_P(WatcherLifetimeTest, AnswersEveryWatchWhenItIsDetachedMeanwhile) {
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

// The same when it is killed, whatever was asked.
TEST_P(WatcherLifetimeTest, AnswersEveryoneWhenItIsKilledMeanwhile) {
  for (int round = 0; round < 20; ++round) {
    ChildWatcher fresh =
        SpawnChildWatcher(kind(), own_->host(), own_->actor(), relay_);
    pid_t a = NewChild();
    caf::scoped_actor self(*system_);
    auto watched = self->request(fresh, kPatience,
                                 WatchChild{a, PidfdOf(a), NewListener()});
    auto info = self->request(fresh, kPatience, AskWatcher{});
    auto attached = self->request(fresh, kPatience, AttachWatcher{});
    auto closed = self->request(fresh, kPatience, CloseWatcher{});
    SpinFor(std::chrono::microseconds(5 * round));
    caf::anon_send_exit(fresh, caf::exit_reason::kill);
    int answers = 0;
    auto refused = [&](const caf::error&) { ++answers; };
    watched.receive([&](const WatchingChild&) { ++answers; }, refused);
    info.receive([&](const WatcherInfo&) { ++answers; }, refused);
    attached.receive([&](const WatcherAttached&) { ++answers; }, refused);
    closed.receive([&](const WatcherDetached&) { ++answers; }, refused);
    EXPECT_EQ(answers, 4);
  }
}

// -- ends ---------------------------------------------------------------------

// Row V17; the fixture looks for descriptors (V16) and threads.
TEST_P(WatcherLifetimeTest, EndsWithItsHostWhileAChildRuns) {
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

// Nobody waits for what nobody will tell.
TEST_P(WatcherLifetimeTest, SaysThatAChildIsUnwatchedWhenItIsKilled) {
  pid_t told = NewChild(), a = NewChild();
  auto heard = std::make_shared<Trace>();
  auto observer = system_->spawn<caf::hidden>(
      [=](ChildObserver::pointer) -> ChildObserver::behavior_type {
        return {[=](const ChildExited& exited) {
          heard->Add(absl::StrCat(exited.pid, " ", exited.unwatched, " ",
                                  exited.report.status.ToString()));
        }};
      });
  ASSERT_EQ(Watch(told, observer), "");
  ASSERT_EQ(Watch(a, observer), "");
  Kill(told, SIGTERM);
  const std::string exit = absl::StrCat(told, " 0 killed by SIGTERM");
  ASSERT_TRUE(heard->WaitFor(exit));
  caf::anon_send_exit(watcher_, caf::exit_reason::kill);
  const std::string end = absl::StrCat(a, " 1 ", ExitStatus::Lost().ToString());
  ASSERT_TRUE(heard->WaitFor(end));
  EXPECT_EQ(heard->events(), (std::vector<std::string>{exit, end}));
}

// Row C23 for a watcher that is killed: its lease ends with it.
TEST_P(WatcherLifetimeTest, LeavesChildrenAndSigchldAloneWhenItIsKilled) {
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
