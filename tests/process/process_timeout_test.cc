// The timeouts of a Process: of all its time, and of its silence. Rows A9, A29.
// The fixture looks for what is left.
#include <signal.h>

#include <chrono>
#include <cstddef>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "caf/send.hpp"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "io/io_thread.h"
#include "io/virtual_clock.h"
#include "process/pidfd_watcher.h"
#include "process/process.h"
#include "tests/process/running_process.h"
#include "tests/support/child_program.h"
#include "tests/support/leak_check.h"

namespace troupe {
namespace {

using ::testing::IsEmpty;

class ProcessTimeoutTest : public RunningProcessTest {};

// Rows A29, A9, ask 38: partial output, and what it was.
TEST_F(ProcessTimeoutTest, StopsByItsPlanWhenItsTimeIsOver) {
  LaunchProcess launch = InGroup(
      PipedLaunch({"sh", "-c", "echo begun; trap '' TERM; sleep 1000"}));
  launch.timeout = absl::Milliseconds(100);
  launch.stop_plan.rungs = {{SIGTERM, std::chrono::milliseconds(20)},
                            {SIGKILL}};
  auto all = Ask<Communicated>(NewProcess(), RunProcess{launch});
  ASSERT_TRUE(all.ok()) << all.status();
  EXPECT_EQ(Described(all), "EXIT -9 out=begun\n err=");
  EXPECT_EQ(all->ended_by, EndedBy::kTimeout);
}

// Bounded also by somebody who left the group and holds the output.
TEST_F(ProcessTimeoutTest, ATimeoutDoesNotWaitForWhoEscaped) {
  LaunchProcess launch =
      PipedLaunch({ChildProgram("hold_stdout")});  // not in a group
  launch.timeout = absl::Milliseconds(50);
  Process process = NewProcess();
  ASSERT_EQ(Launch(process, launch), "");
  const pid_t grandchild = PidIn(Line(process));
  auto drained = Ask<ProcessDrained>(process, WaitForDrained{});
  ASSERT_TRUE(drained.ok()) << drained.status();
  EXPECT_EQ(Describe(drained->exit), "EXIT 0");
  EXPECT_EQ(drained->ended_by, EndedBy::kTimeout);
  EXPECT_TRUE(Ask<ProcessEnded>(process, WaitForEnd{}).ok());
  kill(grandchild, SIGKILL);
}

// A plan that does not end it: then it is killed before the answer.
TEST_F(ProcessTimeoutTest, ARunWhosePlanGivesUpLeavesNothing) {
  LaunchProcess launch = PipedLaunch({"sleep", "1000"});
  launch.timeout = absl::Milliseconds(20);
  launch.stop_plan.rungs = {{SIGWINCH, std::chrono::milliseconds(1)}};
  auto all = Ask<Communicated>(NewProcess(), RunProcess{launch});
  EXPECT_TRUE(absl::IsDeadlineExceeded(all.status())) << all.status();
  EXPECT_TRUE(
      absl::EndsWith(all.status().message(), " did not end by its stop plan"))
      << all.status();
  EXPECT_THAT(Children(), IsEmpty());
}

// It runs on, and is read like before.
TEST_F(ProcessTimeoutTest, APlanThatGivesUpEndsNoStream) {
  LaunchProcess launch = PipedLaunch({ChildProgram("copy_input")});
  launch.timeout = absl::Milliseconds(20);
  launch.stop_plan.rungs = {{SIGWINCH, std::chrono::milliseconds(1)}};
  Process process = NewProcess();
  ASSERT_EQ(Launch(process, launch), "");
  auto drained = Ask<ProcessDrained>(process, WaitForDrained{});
  EXPECT_TRUE(absl::IsDeadlineExceeded(drained.status())) << drained.status();
  caf::anon_send(process, Write{Bytes::Copy("a\n"), {}});
  EXPECT_EQ(Line(process), "a");
  EXPECT_EQ(Gather(process), "EXIT 0 out= err=");
}

TEST_F(ProcessTimeoutTest, StopsWhenNoOutputCame) {
  LaunchProcess launch =
      InGroup(PipedLaunch({"sh", "-c", "echo a; sleep 1000"}));
  launch.quiet_timeout = absl::Milliseconds(50);
  auto all = Ask<Communicated>(NewProcess(), RunProcess{launch});
  ASSERT_TRUE(all.ok()) << all.status();
  EXPECT_EQ(Described(all), "EXIT -15 out=a\n err=");
  EXPECT_EQ(all->ended_by, EndedBy::kSilence);
}

TEST_F(ProcessTimeoutTest, RefusesTimesThatCannotBe) {
  Process process = NewProcess();
  LaunchProcess launch = QuietLaunch({ChildProgram("exit_with"), "0"});
  launch.timeout = absl::ZeroDuration();
  EXPECT_EQ(Launch(process, launch), "a timeout must be more than nothing");
  launch.timeout = absl::Seconds(100);
  launch.quiet_timeout = absl::Seconds(1);
  EXPECT_EQ(Launch(process, launch),
            "a quiet timeout needs output that is a pipe");
  launch.quiet_timeout = absl::InfiniteDuration();
  EXPECT_EQ(Launch(process, launch), "");
  EXPECT_EQ(Launch(process, launch), "the process was launched already");
  EXPECT_TRUE(Ask<ProcessEnded>(process, WaitForEnd{}).ok());
}

// -- on a clock that the test turns -------------------------------------------

class ProcessClockTest : public RunningProcessTest {
 protected:
  ProcessClockTest() {
    StopIo();
    IoThread::Options options;
    options.clock = &clock_;
    auto io = IoThread::Start(*system_, std::move(options));
    EXPECT_TRUE(io.ok()) << io.status();
    io_ = *std::move(io);
    watcher_ = SpawnPidfdWatcher(host(), io_->actor());
  }
  // Before the clock is gone.
  ~ProcessClockTest() override { StopAll(); }

  // Returns when what is due has been done.
  void Advance(const Process& process, absl::Duration by) {
    clock_.Advance(by);
    for (int i = 0; i < 5; ++i) {
      ASSERT_TRUE(Ask<ProcessInfo>(process, GetProcessInfo{}).ok());
    }
  }

  VirtualClock clock_{VirtualClock::Mode::kByHand};
};

// The time of quiet begins anew with each output.
TEST_F(ProcessClockTest, IsQuietWhenNothingCameForTheWholeTime) {
  Process process = NewProcess();
  LaunchProcess launch = PipedLaunch({ChildProgram("copy_input")});
  launch.quiet_timeout = absl::Hours(1);
  ASSERT_EQ(Launch(process, launch), "");
  for (int i = 0; i < 3; ++i) {
    Advance(process, absl::Minutes(50));
    caf::anon_send(process, Write{Bytes::Copy("a\n"), {}});
    ASSERT_EQ(Line(process), "a");
  }
  Advance(process, absl::Minutes(61));
  auto drained = Ask<ProcessDrained>(process, WaitForDrained{});
  ASSERT_TRUE(drained.ok()) << drained.status();
  EXPECT_EQ(Describe(drained->exit), "EXIT -15");
  EXPECT_EQ(drained->ended_by, EndedBy::kSilence);
}

// Not before, and not when it has ended in time.
TEST_F(ProcessClockTest, HasTheWholeTime) {
  Process late = NewProcess(), early = NewProcess();
  for (const Process& process : {late, early}) {
    LaunchProcess launch = PipedLaunch({ChildProgram("copy_input")});
    launch.timeout = absl::Hours(1);
    ASSERT_EQ(Launch(process, launch), "");
  }
  Advance(late, absl::Minutes(59));
  EXPECT_EQ(Gather(early), "EXIT 0 out= err=");
  caf::anon_send(late, Write{Bytes::Copy("a\n"), {}});
  EXPECT_EQ(Line(late), "a");
  Advance(late, absl::Minutes(2));
  for (const Process& process : {late, early}) {
    auto drained = Ask<ProcessDrained>(process, WaitForDrained{});
    ASSERT_TRUE(drained.ok()) << drained.status();
    EXPECT_EQ(drained->ended_by,
              process == late ? EndedBy::kTimeout : EndedBy::kItself);
  }
}

// A child that waits for its reader is not silent: it is we who do not read.
// Of a chunk the rest is held.
TEST_F(ProcessClockTest, IsNotQuietWhileItsOutputWaitsForAReader) {
  constexpr size_t kSize = 1024 * 1024;
  LaunchProcess launch =
      PipedLaunch({ChildProgram("flood"), absl::StrCat(kSize)});
  launch.quiet_timeout = absl::Hours(1);
  Process process = NewProcess();
  ASSERT_EQ(Launch(process, launch), "");
  ASSERT_EQ(Read(process, ReadExactly{1}).size(), 1u);
  Advance(process, absl::Hours(5));
  auto info = Ask<ProcessInfo>(process, GetProcessInfo{});
  ASSERT_TRUE(info.ok());
  EXPECT_EQ(info->phase, ProcessInfo::Phase::kRunning);
  auto all = Ask<Communicated>(process, Communicate{});
  ASSERT_TRUE(all.ok());
  EXPECT_EQ(all->out->size(), kSize - 1);
  EXPECT_EQ(all->ended_by, EndedBy::kItself);
}

}  // namespace
}  // namespace troupe
