// Facts in their order, exit, waiting and signals: rows P10, P13 to P17 and P20
// to P22, and the golden traces of subprocesses.
#include "process/subprocess.h"

#include <signal.h>
#include <time.h>

#include <cerrno>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "caf/event_based_actor.hpp"
#include "caf/send.hpp"
#include "caf/typed_event_based_actor.hpp"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "io/os_error.h"
#include "io/resident.h"
#include "process/process_messages.h"
#include "tests/support/process_fixture.h"
#include "tests/support/trace.h"

namespace troupe {
namespace {

using ::testing::ElementsAre;
using ::testing::UnorderedElementsAre;

class SubprocessTest : public ProcessTest {
 protected:
  // The events of one stream, or of none of them.
  std::vector<std::string> EventsOf(int stream) {
    std::vector<std::string> result;
    for (const std::string& event : trace_->events()) {
      if (absl::StrContains(event, absl::StrCat(" ", stream))) {
        result.push_back(event);
      }
    }
    return result;
  }
};

// Golden trace "subprocess 'echo out;echo err>&2;exit 3'"; between streams the
// order is free (P13).
TEST_F(SubprocessTest, TellsStartedThenStreamsThenExitThenEnd) {
  Subprocess child = NewSubprocess();
  ASSERT_EQ(Start(child, Piped({"sh", "-c", "echo out;echo err>&2;exit 3"})),
            "");
  ASSERT_TRUE(trace_->WaitFor("CL"));
  std::vector<std::string> events = trace_->events();
  EXPECT_EQ(events.front(), "CM");
  EXPECT_EQ(events.back(), "CL");
  EXPECT_EQ(trace_->Count("EXIT 3"), 1u);
  EXPECT_THAT(EventsOf(0), ElementsAre("PCL 0"));
  EXPECT_THAT(EventsOf(1), ElementsAre("DATA 1 'out\\n'", "PCL 1"));
  EXPECT_THAT(EventsOf(2), ElementsAre("DATA 2 'err\\n'", "PCL 2"));
  EXPECT_EQ(events.size(), 8u);
}

// Golden trace "subprocess no pipes"; P15.
TEST_F(SubprocessTest, WithoutPipesTellsStartedExitEnd) {
  Subprocess child = NewSubprocess();
  ASSERT_EQ(Start(child, Quiet({ChildProgram("exit_with"), "0"})), "");
  ASSERT_TRUE(trace_->WaitFor("CL"));
  EXPECT_THAT(trace_->events(), ElementsAre("CM", "EXIT 0", "CL"));
}

// Golden trace "subprocess close()": here it is two requests.
TEST_F(SubprocessTest, KilledAndClosedTellsAllStreamsExitEnd) {
  Subprocess child = NewSubprocess();
  ASSERT_EQ(Start(child, Piped({ChildProgram("wait_for_eof")})), "");
  ASSERT_TRUE(trace_->WaitFor("DATA 1 'r'"));
  ASSERT_TRUE(Do(child, SendSignal{SIGKILL}).ok());
  caf::anon_send(child, CloseStreams{});
  ASSERT_TRUE(trace_->WaitFor("CL"));
  std::vector<std::string> events = trace_->events();
  EXPECT_EQ(events.front(), "CM");
  EXPECT_EQ(events.back(), "CL");
  EXPECT_THAT(events, UnorderedElementsAre("CM", "DATA 1 'r'", "PCL 0", "PCL 1",
                                           "PCL 2", "EXIT -9", "CL"));
}

// Golden trace "grandchild holds stdout"; P16: the exit at once, the end when
// the grandchild closes.
TEST_F(SubprocessTest, TellsTheExitWhileAGrandchildHoldsStdout) {
  Subprocess child = NewSubprocess();
  ASSERT_EQ(Start(child, Piped({ChildProgram("hold_stdout")})), "");
  auto exited = Ask<ProcessExited>(child, WaitForExit{});
  ASSERT_TRUE(exited.ok()) << exited.status();
  ASSERT_TRUE(trace_->WaitFor("EXIT 0"));
  EXPECT_EQ(trace_->Count("CL"), 0u);
  EXPECT_EQ(trace_->Count("PCL 1"), 0u);
  caf::anon_send(child, CloseStdin{});
  ASSERT_TRUE(trace_->WaitFor("CL"));
  EXPECT_EQ(trace_->events().back(), "CL");
  EXPECT_EQ(trace_->Count("PCL 1"), 1u);
}

// The same messages, with no hop, for an observer next to the transports.
ProcessObserver::behavior_type ResidentObserver(
    Resident<ProcessObserver::base>*, std::shared_ptr<Trace> trace) {
  return {
      [=](const ProcessStarted&) { trace->Add("CM"); },
      [=](ProcessOutput& output) { trace->Add(output.bytes.ToString()); },
      [=](const StreamClosed&) { trace->Add("PCL"); },
      [=](const ProcessExited& exited) { trace->Add(Describe(exited)); },
      [=](const ProcessEnded&) { trace->Add("CL"); },
      [](const PauseWriting&) {},
      [](const ResumeWriting&) {},
  };
}

TEST_F(SubprocessTest, TellsAnObserverOnTheIoThread) {
  Subprocess child = NewSubprocess();
  StartProcess start = Piped({ChildProgram("write_both")});
  start.observer = SpawnResident<caf::hidden>(host(), ResidentObserver, trace_);
  ASSERT_EQ(Start(child, start), "");
  ASSERT_TRUE(trace_->WaitFor("CL"));
  std::vector<std::string> events = trace_->events();
  EXPECT_EQ(events.front(), "CM");
  EXPECT_EQ(events.back(), "CL");
  EXPECT_THAT(events, UnorderedElementsAre("CM", "out", "err", "PCL", "PCL",
                                           "PCL", "EXIT 0", "CL"));
}

// P10: also for a child that has already gone. Each round races anew.
TEST_F(SubprocessTest, TellsStartedFirstAndEndLastFiftyTimes) {
  for (int round = 1; round <= 50; ++round) {
    trace_ = std::make_shared<Trace>();
    Subprocess child = NewSubprocess();
    ASSERT_EQ(Start(child, Piped({ChildProgram("exit_with"), "0"})), "");
    ASSERT_TRUE(trace_->WaitFor("CL"));
    std::vector<std::string> events = trace_->events();
    ASSERT_EQ(events.front(), "CM");
    ASSERT_EQ(events.back(), "CL");
    ASSERT_EQ(events.size(), 6u) << ::testing::PrintToString(events);
  }
}

// P22.
TEST_F(SubprocessTest, TellsCodesAndSignals) {
  for (auto [argv, event] : std::vector<std::pair<std::string, std::string>>{
           {"exit_with 0", "EXIT 0"},
           {"exit_with 255", "EXIT 255"},
           {"exit_with 300", "EXIT 44"},
           {"kill_self 9", "EXIT -9"},
           {"kill_self 15", "EXIT -15"}}) {
    std::vector<std::string> words = {
        ChildProgram(argv.substr(0, argv.find(' '))),
        argv.substr(argv.find(' ') + 1)};
    ASSERT_EQ(Start(NewSubprocess(), Quiet(words)), "");
    ASSERT_TRUE(trace_->WaitFor(event));
  }
  ASSERT_TRUE(trace_->WaitFor("CL", 5));
}

// P17: any number, before the exit and after it, as often as one likes.
TEST_F(SubprocessTest, AnswersEveryoneWhoWaits) {
  Subprocess child = NewSubprocess();
  AskLater<ProcessExited>("before the start", child, WaitForExit{});
  ASSERT_EQ(Start(child, Piped({ChildProgram("wait_for_eof")})), "");
  for (int i = 0; i < 100; ++i) {
    AskLater<ProcessExited>("waiter", child, WaitForExit{});
    AskLater<ProcessEnded>("waiter", child, WaitForEnd{});
  }
  ASSERT_TRUE(trace_->WaitFor("DATA 1 'r'"));
  EXPECT_EQ(trace_->Count("waiter: EXIT 0"), 0u);
  caf::anon_send(child, CloseStdin{});
  ASSERT_TRUE(trace_->WaitFor("waiter: EXIT 0", 100));
  ASSERT_TRUE(trace_->WaitFor("waiter: CL", 100));
  ASSERT_TRUE(trace_->WaitFor("before the start: EXIT 0"));
  for (int i = 0; i < 2; ++i) {
    EXPECT_TRUE(Ask<ProcessExited>(child, WaitForExit{}).ok());
    EXPECT_TRUE(Ask<ProcessEnded>(child, WaitForEnd{}).ok());
  }
}

TEST_F(SubprocessTest, SaysHowLongItRanAndWhatItUsed) {
  Subprocess child = NewSubprocess();
  ASSERT_EQ(Start(child, Piped({ChildProgram("wait_for_eof")})), "");
  ASSERT_TRUE(trace_->WaitFor("DATA 1 'r'"));
  caf::anon_send(child, CloseStdin{});
  auto exited = Ask<ProcessExited>(child, WaitForExit{});
  ASSERT_TRUE(exited.ok());
  EXPECT_EQ(exited->pid, pid_);
  EXPECT_GT(exited->ran, absl::ZeroDuration());
  EXPECT_LT(exited->ran, absl::Minutes(1));
  EXPECT_GT(exited->report.usage.ru_maxrss, 0);
}

// "the exit is reported within 100 ms of its happening": the child writes the
// time at which it ends. Noise of the machine may cost a few.
TEST_F(SubprocessTest, TellsTheExitWithin100MsOfItsHappening) {
  constexpr int kRounds = 40;
  int late = 0;
  for (int i = 0; i < kRounds; ++i) {
    got_ = std::make_shared<Received>();
    Subprocess child = NewSubprocess();
    ASSERT_EQ(Start(child, Piped({ChildProgram("print_time")})), "");
    ASSERT_TRUE(Ask<ProcessExited>(child, WaitForExit{}).ok());
    timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    ASSERT_TRUE(Ask<ProcessEnded>(child, WaitForEnd{}).ok());
    ASSERT_TRUE(trace_->WaitFor("CL", i + 1));
    int64_t ended = 0;
    ASSERT_TRUE(absl::SimpleAtoi(Out(), &ended)) << Out();
    int64_t ns = now.tv_sec * int64_t{1000000000} + now.tv_nsec - ended;
    EXPECT_GE(ns, 0);
    if (ns > 100'000'000) ++late;
  }
  EXPECT_LE(late, kRounds / 10);
}

// -- signals (P20, P21) -------------------------------------------------------

TEST_F(SubprocessTest, SendsSignalsWhileItRuns) {
  Subprocess child = NewSubprocess();
  ASSERT_EQ(Start(child, Piped({ChildProgram("wait_for_eof")})), "");
  ASSERT_TRUE(trace_->WaitFor("DATA 1 'r'"));
  EXPECT_TRUE(Do(child, SendSignal{0}).ok());
  for (int number : {9999, -1}) {
    absl::Status sent = Do(child, SendSignal{number});
    auto failure = OsFailureOf(sent);
    ASSERT_TRUE(failure.has_value()) << sent;
    EXPECT_EQ(failure->error_number, EINVAL);
  }
  EXPECT_TRUE(Do(child, SendSignal{SIGTERM}).ok());
  ASSERT_TRUE(trace_->WaitFor("EXIT -15"));
  ASSERT_TRUE(trace_->WaitFor("CL"));
}

TEST_F(SubprocessTest, RefusesSignalsBeforeTheStartAndAfterTheExit) {
  Subprocess child = NewSubprocess();
  EXPECT_TRUE(absl::IsNotFound(Do(child, SendSignal{SIGTERM})));
  ASSERT_EQ(Start(child, Quiet({ChildProgram("exit_with"), "0"})), "");
  ASSERT_TRUE(trace_->WaitFor("CL"));
  EXPECT_TRUE(absl::IsNotFound(Do(child, SendSignal{SIGTERM})));
  EXPECT_TRUE(absl::IsNotFound(Do(child, SendSignal{0})));
}

// P20: a stopped child is not reported as exited.
TEST_F(SubprocessTest, AStoppedChildHasNotExited) {
  Subprocess child = NewSubprocess();
  ASSERT_EQ(Start(child, Piped({ChildProgram("wait_for_eof")})), "");
  ASSERT_TRUE(trace_->WaitFor("DATA 1 'r'"));
  Freeze(child);
  ASSERT_TRUE(Do(child, SendSignal{SIGCONT}).ok());
  caf::anon_send(child, CloseStdin{});
  ASSERT_TRUE(trace_->WaitFor("CL"));
  EXPECT_EQ(trace_->Count("EXIT 0"), 1u);
}

// An owner that sends without asking for an answer gets none: a refusal does
// not end it.
TEST_F(SubprocessTest, APlainSignalAfterTheExitDisturbsNobody) {
  Subprocess child = NewSubprocess();
  ASSERT_EQ(Start(child, Quiet({ChildProgram("exit_with"), "0"})), "");
  ASSERT_TRUE(trace_->WaitFor("CL"));
  auto owner = system_->spawn<caf::hidden>(
      [=, trace = trace_](caf::event_based_actor* self) -> caf::behavior {
        self->attach_functor([=] { trace->Add("owner ended"); });
        self->send(child, SendSignal{SIGTERM});
        self->send(child, Write{Bytes("x"), {}});
        return {[=](const std::string& text) { trace->Add(text); }};
      });
  EXPECT_TRUE(Ask<ProcessExited>(child, WaitForExit{}).ok());
  EXPECT_TRUE(Ask<ProcessExited>(child, StopProcess{}).ok());
  caf::anon_send(owner, std::string("owner lives"));
  ASSERT_TRUE(trace_->WaitUntil([](const std::vector<std::string>& events) {
    return absl::StartsWith(events.back(), "owner");
  }));
  EXPECT_EQ(trace_->events().back(), "owner lives");
}

}  // namespace
}  // namespace troupe
