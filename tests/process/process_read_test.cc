// Output that is asked for piece by piece: rows H13 to H20, A4, V28.
#include <signal.h>

#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "caf/send.hpp"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "process/process.h"
#include "tests/process/running_process.h"
#include "tests/support/child_program.h"

namespace troupe {
namespace {

using ::testing::ElementsAre;

class ProcessReadTest : public RunningProcessTest {
 protected:
  // A child that gives back what is written.
  Process Echo(
      LaunchProcess launch = PipedLaunch({ChildProgram("copy_input")})) {
    Process process = NewProcess();
    EXPECT_EQ(Launch(process, launch), "");
    return process;
  }
  void Feed(const Process& process, const std::string& text) {
    caf::anon_send(process, Write{Bytes::Copy(text), {}});
  }
  void End(const Process& process) { caf::anon_send(process, CloseStdin{}); }
};

// Rows H14 to H17.
TEST_F(ProcessReadTest, GivesLinesBytesAndTheRest) {
  Process process = Echo();
  Feed(process, "one\ntwo--xyzrest of it");
  EXPECT_EQ(Line(process), "one");
  EXPECT_EQ(Read(process, ReadUntil{"--"}), "two");
  EXPECT_EQ(Read(process, ReadExactly{3}), "xyz");
  EXPECT_EQ(Read(process, ReadAvailable{2}), "re");
  EXPECT_EQ(Read(process, ReadAvailable{0}), "");
  End(process);
  EXPECT_EQ(Read(process, ReadAll{}), "st of it");
  EXPECT_EQ(Read(process, ReadAll{}), "");
  EXPECT_EQ(Line(process), "cut ");
  EXPECT_EQ(Read(process, ReadExactly{1}), "cut ");
}

// Rows H15, H17: at the end what came of it.
TEST_F(ProcessReadTest, GivesWhatCameOfAFrameAtTheEnd) {
  for (ReadFrom::What what :
       {ReadFrom::What(ReadLine{}), ReadFrom::What(ReadExactly{9})}) {
    Process process = Echo();
    Feed(process, "abc");
    End(process);
    EXPECT_EQ(Read(process, what), "cut abc");
    EXPECT_TRUE(Ask<ProcessEnded>(process, WaitForEnd{}).ok());
  }
}

// Rows H16, H13.
TEST_F(ProcessReadTest, RefusesWhatCannotBe) {
  LaunchProcess launch = PipedLaunch({ChildProgram("copy_input")});
  launch.err.line_limit = 0;
  launch.command.stdin_from = Stdio::Null();
  Process process = Echo(launch);
  EXPECT_EQ(Read(process, ReadUntil{""}),
            "!Separator should be at least one-byte string");
  EXPECT_EQ(Read(process, ReadLine{}, ProcessStream::kStderr),
            "!Limit cannot be <= 0");
  EXPECT_EQ(Read(process, ReadLine{}, ProcessStream::kStdin),
            "!stdin is not a pipe");
  Process quiet = Echo(QuietLaunch({ChildProgram("exit_with"), "0"}));
  EXPECT_EQ(Line(quiet), "!stdout is not a pipe");
  caf::anon_send(process, ReadFrom{});
  EXPECT_EQ(Line(process), "cut ");
}

// Row A4: asyncio raises, and drops it.
TEST_F(ProcessReadTest, GivesALongLineInParts) {
  LaunchProcess launch = PipedLaunch({ChildProgram("copy_input")});
  launch.out.line_limit = 4;
  Process process = Echo(launch);
  Feed(process, "1234567\nab\n");
  std::string line;
  for (std::string part = "long "; absl::StartsWith(part, "long ");) {
    part = Line(process);
    line += part.substr(part.find(' ') + 1);
  }
  EXPECT_EQ(line, "1234567\n");
  EXPECT_EQ(Line(process), "ab");
}

// Row V28: with asyncio it never ends.
TEST_F(ProcessReadTest, ReadsToTheEndWhateverLimitAndWindow) {
  LaunchProcess launch = PipedLaunch({ChildProgram("flood"), "300000"});
  launch.out.line_limit = 10;
  launch.window = 1024;
  Process process = Echo(launch);
  EXPECT_EQ(Read(process, ReadAll{}).size(), 300000u);
}

// Row H18, A30: asyncio refuses the second.
TEST_F(ProcessReadTest, AnswersReadsInTheOrderTheyWereAsked) {
  Process process = Echo();
  std::vector<std::string> lines;
  system_->spawn<caf::hidden>(
      [=, trace = trace_](caf::event_based_actor* self) {
        for (int i = 0; i < 3; ++i) {
          self->request(process, caf::infinite, ReadFrom{})
              .then([=](const Frame& frame) {
                trace->Add(absl::StrCat(i, frame.bytes.view()));
              });
        }
        self->send(process, Write{Bytes::Copy("a\nb\nc\n"), {}});
      });
  ASSERT_TRUE(trace_->WaitFor("2c"));
  EXPECT_THAT(trace_->events(), ElementsAre("0a", "1b", "2c"));
}

// Row H20: what waits in the pipe at the exit is read by who comes late.
TEST_F(ProcessReadTest, GivesOutputAfterTheExit) {
  LaunchProcess launch = PipedLaunch({ChildProgram("flood"), "60000"});
  launch.window = 1024;
  Process process = Echo(launch);
  ASSERT_TRUE(Ask<ProcessExited>(process, WaitForExit{}).ok());
  for (int i = 0; i < 60; ++i) {
    ASSERT_EQ(Read(process, ReadExactly{1000}).size(), 1000u);
  }
  EXPECT_EQ(Read(process, ReadAll{}), "");
}

// A read with a time of its own; row A29.
TEST_F(ProcessReadTest, LosesNothingToATimeout) {
  Process process = Echo();
  Feed(process, "ab");
  auto late = [&](ReadFrom::What what) {
    return Described(Ask<Frame>(
        process, ReadFrom{.what = what, .timeout = absl::Milliseconds(30)}));
  };
  const std::string over = "!the time to wait for output is over";
  EXPECT_EQ(late(ReadLine{}), over);
  EXPECT_EQ(late(ReadExactly{5}), over);
  EXPECT_EQ(late(ReadUntil{"--"}), over);
  Feed(process, "cd\n");
  EXPECT_EQ(Line(process), "abcd");
}

TEST_F(ProcessReadTest, LosesNothingToTheEndOfWhoAsked) {
  Process process = Echo();
  Feed(process, "ab");
  system_->spawn<caf::hidden>([=,
                               trace = trace_](caf::event_based_actor* self) {
    // Called behind those who have begun to monitor it later.
    self->attach_functor([=] { trace->Add("ended"); });
    self->request(process, caf::infinite, ReadFrom{}).then([=](const Frame&) {
      trace->Add("read");
    });
    self->request(process, caf::infinite, GetProcessInfo{})
        .then([=](const ProcessInfo&) { self->quit(); });
  });
  ASSERT_TRUE(trace_->WaitFor("ended"));
  Feed(process, "cd\nef\n");
  EXPECT_EQ(Line(process), "abcd");
  EXPECT_EQ(Line(process), "ef");
  EXPECT_EQ(trace_->Count("read"), 0u);
}

// Row H11: any number of writers wait for room; row H12: they may wait for the
// end of stdin, too.
TEST_F(ProcessReadTest, WaitsForRoomInStdinAndForItsEnd) {
  Process process = Echo();
  AskInTrace<StreamClosed>("stdin", process, WaitForClose{});
  for (int i = 0; i < 3; ++i) {
    EXPECT_TRUE(Ask<Drained>(process, Write{Bytes(std::string("x")), {}}).ok());
  }
  End(process);
  ASSERT_TRUE(trace_->WaitFor("stdin: PCL 0"));
  auto refused = Ask<Drained>(process, Write{Bytes(std::string("x")), {}});
  EXPECT_FALSE(refused.ok());
  EXPECT_EQ(Read(process, ReadAll{}), "xxx");
  auto closed =
      Ask<StreamClosed>(process, WaitForClose{ProcessStream::kStdout});
  ASSERT_TRUE(closed.ok());
  EXPECT_EQ(closed->why, absl::OkStatus());
}

}  // namespace
}  // namespace troupe
