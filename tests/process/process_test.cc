// The life of a Process: rows H1, H2, H9, P17 to P20, V4, V5, V7, V30, A1, A2
// and A29; who waits for the output's end, and who is told of every chunk.
#include "process/process.h"

#include <signal.h>

#include <chrono>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "caf/exit_reason.hpp"
#include "caf/send.hpp"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/process/running_process.h"
#include "tests/support/child_program.h"
#include "tests/support/yield_until.h"

namespace troupe {
namespace {

using ::testing::HasSubstr;

class ProcessWaitTest : public RunningProcessTest {};

// Rows P17, H2, A29: any number, at any time, as often as one likes; who ends
// while waiting disturbs nobody.
TEST_F(ProcessWaitTest, AnswersEverybodyWhoWaitsForTheExit) {
  Process process = NewProcess();
  AskInTrace<ProcessExited>("early", process, WaitForExit{});
  ASSERT_EQ(Launch(process, PipedLaunch({"sh", "-c", "read x; exit 7"})), "");
  for (int i = 0; i < 20; ++i) {
    caf::actor gone = AskInTrace<ProcessExited>("gone", process, WaitForExit{});
    if (i % 2 == 0) caf::anon_send_exit(gone, caf::exit_reason::kill);
    AskInTrace<ProcessExited>("exit", process, WaitForExit{});
    AskInTrace<ProcessDrained>("drained", process, WaitForDrained{});
  }
  caf::anon_send(process, CloseStdin{});
  ASSERT_TRUE(trace_->WaitFor("exit: EXIT 7", 20));
  ASSERT_TRUE(trace_->WaitFor("drained: EXIT 7 drained", 20));
  ASSERT_TRUE(trace_->WaitFor("early: EXIT 7"));
  for (int i = 0; i < 2; ++i) {
    auto exited = Ask<ProcessExited>(process, WaitForExit{});
    ASSERT_TRUE(exited.ok());
    EXPECT_EQ(exited->pid, pid_);
    EXPECT_EQ(exited->report.status, ExitStatus::Exited(7));
    EXPECT_TRUE(Ask<ProcessDrained>(process, WaitForDrained{}).ok());
  }
}

// Row A29: poll.
TEST_F(ProcessWaitTest, SaysHowItStandsWithoutWaiting) {
  Process process = NewProcess();
  ASSERT_EQ(Launch(process, PipedLaunch({ChildProgram("wait_for_eof")})), "");
  auto info = Ask<ProcessInfo>(process, GetProcessInfo{});
  ASSERT_TRUE(info.ok()) << info.status();
  EXPECT_EQ(info->phase, ProcessInfo::Phase::kRunning);
  EXPECT_EQ(info->pid, pid_);
  EXPECT_EQ(Gather(process), "EXIT 0 out=r err=");
  info = Ask<ProcessInfo>(process, GetProcessInfo{});
  ASSERT_TRUE(info.ok());
  EXPECT_EQ(info->phase, ProcessInfo::Phase::kExited);
}

// Rows A1, V4, V5: the exit is one thing and the end of the output another; who
// holds it is named.
TEST_F(ProcessWaitTest, WaitsForTheExitOrForTheEndOfTheOutput) {
  Process process = NewProcess();
  ASSERT_EQ(Launch(process, PipedLaunch({ChildProgram("hold_stdout")})), "");
  ASSERT_TRUE(Ask<ProcessExited>(process, WaitForExit{}).ok());
  const pid_t grandchild = PidIn(Line(process));
  AskInTrace<ProcessDrained>("drained", process, WaitForDrained{});
  auto held =
      Ask<ProcessDrained>(process, WaitForDrained{absl::Milliseconds(20)});
  ASSERT_TRUE(held.ok()) << held.status();
  EXPECT_FALSE(held->drained);
  ASSERT_EQ(held->holders.size(), 2u);
  EXPECT_EQ(held->holders[0].pid, grandchild);
  EXPECT_EQ(held->holders[0].program, "hold_stdout");
  EXPECT_EQ(trace_->Count("drained: EXIT 0 drained"), 0u);
  caf::anon_send(process, CloseStdin{});
  ASSERT_TRUE(trace_->WaitFor("drained: EXIT 0 drained"));
}

// The same for a Communicate: what came by then, and the process is still
// there to be asked.
TEST_F(ProcessWaitTest, GathersForTheTimeOfAGrace) {
  Process process = NewProcess();
  LaunchProcess launch = PipedLaunch({"sh", "-c", "sleep 1000 & echo $!"});
  launch.command.stdin_from = Stdio::Null();
  ASSERT_EQ(Launch(process, launch), "");
  auto all =
      Ask<Communicated>(process, Communicate{.grace = absl::Milliseconds(20)});
  ASSERT_TRUE(all.ok()) << all.status();
  EXPECT_FALSE(all->drained);
  const pid_t grandchild = PidIn(all->out->head);
  ASSERT_EQ(all->holders.size(), 2u);
  EXPECT_EQ(all->holders[0].pid, grandchild);
  kill(grandchild, SIGKILL);
  EXPECT_EQ(Gather(process), "EXIT 0 out= err=");
}

// Row A2: with asyncio it waits for ever.
TEST_F(ProcessWaitTest, ExitsWithOutputThatNobodyReads) {
  for (UnreadOutput unread : {UnreadOutput::kDiscard, UnreadOutput::kCapture}) {
    Process process = NewProcess();
    LaunchProcess launch = PipedLaunch({ChildProgram("flood"), "1000000"});
    launch.out.unread = unread;
    ASSERT_EQ(Launch(process, launch), "");
    auto exited = Ask<ProcessExited>(process, WaitForExit{});
    ASSERT_TRUE(exited.ok()) << exited.status();
    EXPECT_EQ(Describe(*exited), "EXIT 0");
    EXPECT_THAT(Line(process), HasSubstr("captured"));
    auto all = Ask<Communicated>(process, Communicate{});
    ASSERT_TRUE(all.ok());
    EXPECT_EQ(all->out->size(), 1000000u);
    EXPECT_EQ(all->out->head.empty(), unread == UnreadOutput::kDiscard);
  }
}

// -- signals ------------------------------------------------------------------

// Rows P20, H9, V30.
TEST_F(ProcessWaitTest, SendsSignalsUntilTheExit) {
  Process process = NewProcess();
  EXPECT_TRUE(absl::IsNotFound(Do(process, TerminateProcess{})));
  ASSERT_EQ(Launch(process, PipedLaunch({ChildProgram("ignore_sigterm")})), "");
  EXPECT_EQ(Read(process, ReadExactly{1}), "r");
  EXPECT_TRUE(Do(process, SendSignal{0}).ok());
  EXPECT_TRUE(Do(process, TerminateProcess{}).ok());
  EXPECT_TRUE(Do(process, KillProcess{}).ok());
  EXPECT_EQ(Gather(process), "EXIT -9 out= err=");
  EXPECT_TRUE(absl::IsNotFound(Do(process, TerminateProcess{})));
  EXPECT_TRUE(absl::IsNotFound(Do(process, KillProcess{})));
  EXPECT_TRUE(absl::IsNotFound(Do(process, SendSignal{0})));
}

TEST_F(ProcessWaitTest, TerminatesWhoObeys) {
  Process process = NewProcess();
  ASSERT_EQ(Launch(process, PipedLaunch({ChildProgram("wait_for_eof")})), "");
  ASSERT_TRUE(Do(process, TerminateProcess{}).ok());
  auto drained = Ask<ProcessDrained>(process, WaitForDrained{});
  ASSERT_TRUE(drained.ok());
  EXPECT_EQ(Describe(drained->exit), "EXIT -15");
  EXPECT_EQ(drained->ended_by, EndedBy::kItself);
}

TEST_F(ProcessWaitTest, StopsByAPlan) {
  Process process = NewProcess();
  LaunchProcess launch = InGroup(PipedLaunch({ChildProgram("ignore_sigterm")}));
  launch.stop_plan.rungs = {{SIGTERM, std::chrono::milliseconds(20)},
                            {SIGKILL}};
  ASSERT_EQ(Launch(process, launch), "");
  EXPECT_EQ(Read(process, ReadExactly{1}), "r");
  auto stopped = Ask<ProcessExited>(process, StopProcess{});
  ASSERT_TRUE(stopped.ok()) << stopped.status();
  EXPECT_EQ(Describe(*stopped), "EXIT -9");
  EXPECT_TRUE(WaitUntilGone(pid_));
  auto all = Ask<Communicated>(process, Communicate{});
  ASSERT_TRUE(all.ok());
  EXPECT_EQ(all->ended_by, EndedBy::kRequest);
}

// -- output observers ---------------------------------------------------------

OutputObserver::behavior_type NoteOutput(OutputObserver::pointer,
                                         std::shared_ptr<Trace> trace,
                                         std::string name) {
  return {[=](const ProcessOutput& output) {
            trace->Add(absl::StrCat(name, ": ", output.bytes.view()));
          },
          [=](const StreamClosed& closed) {
            trace->Add(
                absl::StrCat(name, ": PCL ", static_cast<int>(closed.stream)));
          }};
}

// Keeps what it is told, with its credit, until it is told to let go.
struct Kept {
  std::mutex mutex;
  std::vector<Credit> credits;
  size_t size = 0;
};
OutputObserver::behavior_type KeepOutput(OutputObserver::pointer,
                                         std::shared_ptr<Kept> kept) {
  return {[=](ProcessOutput& output) {
            std::lock_guard<std::mutex> lock(kept->mutex);
            kept->credits.push_back(std::move(output.credit));
            kept->size += output.bytes.size();
          },
          [](const StreamClosed&) {}};
}

class ProcessObserverTest : public RunningProcessTest {
 protected:
  OutputObserver Noting(const std::string& name) {
    return system_->spawn<caf::hidden>(NoteOutput, trace_, name);
  }
  // How much the keeper has when no more comes, because the child waits:
  // however often the I/O thread looks.
  size_t SizeWhenStuck(Kept& kept) {
    size_t last = 0;
    int same = 0;
    EXPECT_TRUE(YieldUntil([&] {
      WaitForIteration(*io_);
      std::lock_guard<std::mutex> lock(kept.mutex);
      const bool stuck = kept.size > 0 && StateOf(pid_) == 'S';
      same = stuck && kept.size == last ? same + 1 : 0;
      last = kept.size;
      return same == 20;
    }));
    return last;
  }
};

TEST_F(ProcessObserverTest, TellsSeveralOfEveryChunkBesideTheReader) {
  Process process = NewProcess();
  ASSERT_EQ(Launch(process, PipedLaunch({"sh", "-c",
                                         "cat; echo e >&2; exec >&-; "
                                         "read x < /dev/null"})),
            "");
  ASSERT_TRUE(Do(process, ObserveOutput{Noting("a")}).ok());
  ASSERT_TRUE(
      Do(process, ObserveOutput{Noting("b"), ProcessStream::kStdout}).ok());
  caf::anon_send(process, Write{Bytes::Copy("x\n"), {}});
  EXPECT_EQ(Line(process), "x");
  ASSERT_TRUE(trace_->WaitFor("a: x\n"));
  ASSERT_TRUE(trace_->WaitFor("b: x\n"));
  caf::anon_send(process, CloseStdin{});
  for (const char* event : {"a: e\n", "a: PCL 1", "a: PCL 2", "b: PCL 1"}) {
    ASSERT_TRUE(trace_->WaitFor(event));
  }
  EXPECT_EQ(trace_->events().size(), 6u);
  // One that comes late is told that it is over.
  ASSERT_TRUE(
      Do(process, ObserveOutput{Noting("c"), ProcessStream::kStderr}).ok());
  ASSERT_TRUE(trace_->WaitFor("c: PCL 2"));
  EXPECT_EQ(Read(process, ReadAll{}, ProcessStream::kStderr), "e\n");
}

// The slowest bounds the stream; when it dies it is not waited for.
TEST_F(ProcessObserverTest, IsBoundedByTheSlowestUntilThatDies) {
  constexpr size_t kSize = 4 * 1024 * 1024;
  Process process = NewProcess();
  LaunchProcess launch = PipedLaunch(
      {"sh", "-c",
       absl::StrCat("read x; exec ", ChildProgram("flood"), " ", kSize)});
  launch.out.unread = UnreadOutput::kDiscard;
  ASSERT_EQ(Launch(process, launch), "");
  auto kept = std::make_shared<Kept>();
  OutputObserver slow = system_->spawn<caf::hidden>(KeepOutput, kept);
  ASSERT_TRUE(Do(process, ObserveOutput{slow}).ok());
  caf::anon_send(process, Write{Bytes::Copy("\n"), {}});
  EXPECT_LE(SizeWhenStuck(*kept), 512 * 1024u);
  caf::anon_send_exit(slow, caf::exit_reason::kill);
  {
    std::lock_guard<std::mutex> lock(kept->mutex);
    kept->credits.clear();
  }
  auto all = Ask<Communicated>(process, Communicate{});
  ASSERT_TRUE(all.ok()) << all.status();
  EXPECT_EQ(all->out->dropped, kSize);
  EXPECT_LT(kept->size, kSize);
}

TEST_F(ProcessObserverTest, RefusesNobody) {
  Process process = NewProcess();
  EXPECT_FALSE(Do(process, ObserveOutput{}).ok());
}

}  // namespace
}  // namespace troupe
