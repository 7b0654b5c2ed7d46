// What becomes of children when what serves them stops: the I/O thread, the
// spawner, the watcher (rows P11, P12). The fixture looks for what is left.
#include <thread>
#include <vector>

#include "absl/status/status.h"
#include "caf/exit_reason.hpp"
#include "caf/send.hpp"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "io/resident.h"
#include "io/status_error.h"
#include "process/process_messages.h"
#include "process/subprocess.h"
#include "tests/support/leak_check.h"
#include "tests/support/process_fixture.h"

namespace troupe {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class SubprocessShutdownTest : public ProcessTest {};

TEST_F(SubprocessShutdownTest, TheIoThreadStopsWithChildrenRunning) {
  std::vector<Subprocess> children;
  for (int i = 0; i < 20; ++i) {
    children.push_back(NewSubprocess());
    StartProcess start = Piped({ChildProgram("ignore_sigterm")});
    ASSERT_EQ(Start(children.back(), InGroup(std::move(start))), "");
  }
  StopIo();
  StopAll();
  EXPECT_THAT(Children(), IsEmpty());
}

// A child that ends while the thread stops: its zombie is somebody's.
TEST_F(SubprocessShutdownTest, TheIoThreadStopsWhileChildrenEnd) {
  std::vector<Subprocess> children;
  for (int i = 0; i < 40; ++i) {
    children.push_back(NewSubprocess());
    ASSERT_EQ(
        Start(children.back(), InGroup(Piped({ChildProgram("wait_for_eof")}))),
        "");
  }
  for (const Subprocess& child : children) {
    caf::anon_send(child, CloseStdin{});
  }
  trace_->WaitFor("EXIT 0", 5);
  StopIo();
  StopAll();
  EXPECT_THAT(Children(), IsEmpty());
}

TEST_F(SubprocessShutdownTest, TheIoThreadStopsWhileChildrenAreBeingMade) {
  std::vector<Subprocess> children;
  for (int i = 0; i < 60; ++i) {
    children.push_back(NewSubprocess());
    StartProcess start = InGroup(Piped({ChildProgram("wait_for_eof")}));
    start.observer = NewObserver();
    caf::anon_send(children.back(), std::move(start));
  }
  trace_->WaitFor("CM", 10);
  StopIo();
  StopAll();
  EXPECT_THAT(Children(), IsEmpty());
}

// The wrong order, but nothing is lost: what the I/O thread leaves behind is
// ended by whoever lets go of it.
TEST_F(SubprocessShutdownTest, TheSpawnersThreadStopsFirst) {
  std::vector<Subprocess> children;
  for (int i = 0; i < 20; ++i) {
    children.push_back(NewSubprocess());
    StartProcess start = InGroup(Piped({ChildProgram("wait_for_eof")}));
    start.observer = NewObserver();
    caf::anon_send(children.back(), std::move(start));
  }
  trace_->WaitFor("CM", 5);
  spawner_thread_->Stop();
  StopIo();
  EXPECT_THAT(Children(), IsEmpty());
}

TEST_F(SubprocessShutdownTest, WithoutASpawnerAStartFailsAndNothingHangs) {
  spawner_thread_->Stop();
  EXPECT_NE(Start(NewSubprocess(), Piped({ChildProgram("exit_with")})), "");
  EXPECT_THAT(trace_->events(), IsEmpty());
}

// The message that lets the zombie go finds no watcher: as when the I/O thread
// stops while a child ends.
TEST_F(SubprocessShutdownTest, AChildIsReapedWhenItsWatcherHasEnded) {
  Subprocess child = NewSubprocess();
  ASSERT_EQ(Start(child, InGroup(Piped({ChildProgram("hold_stdout")}))), "");
  ASSERT_TRUE(trace_->WaitFor("EXIT 0"));
  EXPECT_EQ(StateOf(pid_), 'Z');
  caf::anon_send_exit(watcher_, caf::exit_reason::kill);
  while (!HasEnded(caf::actor_cast<caf::strong_actor_ptr>(watcher_))) {
    std::this_thread::yield();
  }
  caf::anon_send(child, CloseStdin{});
  ASSERT_TRUE(trace_->WaitFor("CL"));
  EXPECT_TRUE(WaitUntilGone(pid_));
}

// Row P4: without a watcher nothing is spawned.
TEST_F(SubprocessShutdownTest, StartsNothingWithoutAWatcher) {
  caf::anon_send_exit(watcher_, caf::exit_reason::kill);
  EXPECT_NE(Start(NewSubprocess(), Piped({ChildProgram("ignore_sigterm")})),
            "");
  EXPECT_THAT(trace_->events(), IsEmpty());
  WaitForNoChildren();
}

// Row P12: a child whose watch is refused is killed and reaped.
TEST_F(SubprocessShutdownTest, AChildThatCannotBeWatchedIsKilledAndReaped) {
  watcher_ = system_->spawn<caf::hidden>(
      [trace = trace_](ChildWatcher::pointer) -> ChildWatcher::behavior_type {
        return {
            [=](const WatchChild& request) -> caf::result<WatchingChild> {
              trace->Add(StateOf(request.pid) == '-' ? "nobody" : "a child");
              return MakeError(absl::ResourceExhaustedError("no more"));
            },
            [](const ReapChild&) {},
            [](const UnwatchChild&) { return ChildUnwatched{}; },
            [](const AttachWatcher&) { return WatcherAttached{}; },
            [](const DetachWatcher&) { return WatcherDetached{}; },
            [](const CloseWatcher&) { return WatcherDetached{}; },
            [](const AskWatcher&) {
              return WatcherInfo{"full", true, 0};
            },
        };
      });
  EXPECT_EQ(Start(NewSubprocess(), Piped({ChildProgram("ignore_sigterm")})),
            "no more");
  EXPECT_THAT(trace_->events(), ElementsAre("a child"));
  WaitForNoChildren();
}

}  // namespace
}  // namespace troupe
