// What only the fast watcher has; every_watcher.h is for what all have.
#include "process/fast_watcher.h"

#include <signal.h>

#include <memory>
#include <string>

#include "absl/strings/str_cat.h"
#include "caf/actor.hpp"
#include "caf/actor_cast.hpp"
#include "caf/scoped_actor.hpp"
#include "caf/send.hpp"
#include "gtest/gtest.h"
#include "io/io_messages.h"
#include "signals/signal_messages.h"
#include "tests/process/watcher_fixture.h"

namespace troupe {
namespace {

class FastWatcherTest : public WatcherTest {
 protected:
  void UseFast(FastWatcherOptions options) {
    Use(SpawnFastWatcher(own_->host(), own_->actor(), relay_, options));
  }
  // A child that has ended and that the watcher has reaped unasked.
  pid_t NewStranger(int code) {
    pid_t pid = NewChild({ChildProgram("exit_with"), absl::StrCat(code)});
    EXPECT_TRUE(WaitUntilGone(pid));
    EXPECT_TRUE(log_->WaitFor(absl::StrCat("unknown process ", pid,
                                           " exited with returncode ", code)));
    return pid;
  }
  static std::string Caught(pid_t pid, int code) {
    return absl::StrCat("Caught subprocess termination from unknown pid: ", pid,
                        " -> ", code);
  }
};

// Rows C6, C13, C19: there is no block to be in; the owner of a child that was
// taken already comes later, and there is no warning.
TEST_F(FastWatcherTest, KeepsTheStatusForAnOwnerWhoComesLater) {
  UseFast({.grace = absl::Hours(1)});
  pid_t a = NewStranger(3);
  ASSERT_EQ(Watch(a), "");
  ASSERT_TRUE(trace_->WaitFor(Told(a, 3)));
  EXPECT_TRUE(Close().ok());
  EXPECT_FALSE(Logged("Caught"));
}

// Row C6: once; then it is known no more.
TEST_F(FastWatcherTest, GivesAKeptStatusOnce) {
  UseFast({});
  pid_t a = NewStranger(3);
  ASSERT_EQ(Watch(a), "");
  ASSERT_TRUE(trace_->WaitFor(Told(a, 3)));
  ASSERT_EQ(Watch(a), "");
  ASSERT_TRUE(trace_->WaitFor(Told(a, 255)));
}

// Row C8: without grace at once; kept all the same.
TEST_F(FastWatcherTest, NamesStrangersAtOnceIfAskedTo) {
  UseFast({.grace = absl::ZeroDuration()});
  pid_t a = NewStranger(3);
  EXPECT_TRUE(WaitForLog(Caught(a, 3)));
  ASSERT_EQ(Watch(a), "");
  ASSERT_TRUE(trace_->WaitFor(Told(a, 3)));
  EXPECT_EQ(log_->Count(Caught(a, 3)), 1u);
}

TEST_F(FastWatcherTest, NamesStrangersAfterTheGraceOnce) {
  UseFast({.grace = absl::Milliseconds(1)});
  pid_t a = NewStranger(3);
  EXPECT_TRUE(WaitForLog(Caught(a, 3)));
  pid_t b = NewStranger(4);
  EXPECT_TRUE(WaitForLog(Caught(b, 4)));
  EXPECT_TRUE(Close().ok());
  EXPECT_EQ(log_->Count(Caught(a, 3)), 1u);
  EXPECT_FALSE(Logged("subprocesses"));
}

// Rows C14, C5, C30: those that nobody came for, at the end.
TEST_F(FastWatcherTest, NamesWhatIsLeftWhenItIsClosed) {
  UseFast({.grace = absl::Hours(1)});
  pid_t a = NewStranger(3);
  pid_t b = NewStranger(0);
  EXPECT_FALSE(Logged("Caught"));
  EXPECT_TRUE(Close().ok());
  EXPECT_TRUE(WaitForLog(
      absl::StrCat("Caught subprocesses termination from unknown pids: {", a,
                   ": 3, ", b, ": 0}")));
  EXPECT_EQ(Attach(), "");
  ASSERT_EQ(Watch(a), "");  // C5: the zombies are cleared
  ASSERT_TRUE(trace_->WaitFor(Told(a, 255)));
}

TEST_F(FastWatcherTest, KeepsNoMoreThanItIsToldTo) {
  UseFast({.keep = 2});
  pid_t a = NewStranger(1), b = NewStranger(2), c = NewStranger(3);
  for (pid_t pid : {a, b, c}) ASSERT_EQ(Watch(pid), "");
  ASSERT_TRUE(trace_->WaitFor(Told(a, 255)));
  ASSERT_TRUE(trace_->WaitFor(Told(b, 2)));
  ASSERT_TRUE(trace_->WaitFor(Told(c, 3)));
}

// Nor what it was to ask when it listened: detached it takes nobody's status.
TEST_F(FastWatcherTest, ReapsNobodyWhileItIsDetached) {
  UseFast({.grace = absl::Hours(1)});
  pid_t a = NewChild();
  ASSERT_EQ(Watch(a), "");
  auto self = caf::actor_cast<caf::actor>(watcher_);
  caf::anon_send(self, SignalReceived{});  // finds nobody
  Detach();
  End(a);
  WaitForEndOf(a);
  caf::anon_send(self, TimerFired{});  // the grace is over
  EXPECT_EQ(Info().watched, 1u);
  EXPECT_EQ(StateOf(a), 'Z');
  EXPECT_FALSE(WasTold(a));
  EXPECT_EQ(Attach(), "");
  ASSERT_TRUE(trace_->WaitFor(Told(a, 0)));
}

// What a stop plan has to know: the pid is free when the exit is told.
TEST_F(FastWatcherTest, SaysThatItHasReaped) {
  UseFast({});
  auto reaped = std::make_shared<Trace>();
  pid_t a = NewChild();
  ASSERT_EQ(
      Watch(a, system_->spawn<caf::hidden>(
                   [=](ChildObserver::pointer) -> ChildObserver::behavior_type {
                     return {[=](const ChildExited& exited) {
                       reaped->Add(exited.reaped ? "reaped" : "zombie");
                     }};
                   })),
      "");
  End(a);
  EXPECT_TRUE(reaped->WaitFor("reaped"));
}

}  // namespace
}  // namespace troupe
