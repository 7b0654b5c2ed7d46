// A subprocess on a terminal: row A24, ask 24 of the peers.
#include <memory>
#include <string>

#include "absl/strings/str_cat.h"
#include "caf/send.hpp"
#include "gtest/gtest.h"
#include "process/command.h"
#include "process/subprocess.h"
#include "tests/support/process_fixture.h"

namespace troupe {
namespace {

class SubprocessPtyTest : public ProcessTest {
 protected:
  // Its observer writes a line of output down as `LINE text`.
  StartProcess OnTerminal(const char* program) {
    StartProcess start = Quiet({ChildProgram(program)});
    UseTerminal(&start.command, {.rows = 50, .columns = 132, .echo = false});
    auto text = std::make_shared<std::string>();
    start.observer = NewObserver(
        {.output =
             [text, trace = trace_](ProcessOutput& output) {
               *text += std::string(output.bytes.view());
               size_t end = 0;
               while ((end = text->find("\r\n")) != std::string::npos) {
                 trace->Add("LINE " + text->substr(0, end));
                 text->erase(0, end + 2);
               }
             },
         .note_output = false});
    return start;
  }
  static void Type(const Subprocess& child, const char* text) {
    caf::anon_send(child, Write{Bytes(text), {}});
  }
};

// Row A24: EIO is the end of the stream, and no error.
TEST_F(SubprocessPtyTest, IsWrittenAndReadUntilItHangsUp) {
  Subprocess child = NewSubprocess();
  ASSERT_EQ(Start(child, OnTerminal("show_terminal")), "");
  EXPECT_TRUE(trace_->WaitFor("LINE terminal 111 leads"));
  EXPECT_TRUE(trace_->WaitFor("LINE size 50x132"));
  Type(child, "typed\n");
  EXPECT_TRUE(trace_->WaitFor("LINE typed"));
  Type(child, "quit\n");
  EXPECT_TRUE(trace_->WaitFor("CL"));
  EXPECT_EQ(trace_->Count("EXIT 0"), 1u);
  EXPECT_EQ(trace_->Count("PCL 1"), 1u);
  EXPECT_EQ(trace_->Count("PCL 0"), 1u) << "it would not notice by itself";
  EXPECT_EQ(trace_->Count("PCL 2"), 0u);
}

TEST_F(SubprocessPtyTest, IsToldOfANewSize) {
  Subprocess child = NewSubprocess();
  ASSERT_EQ(Start(child, OnTerminal("show_terminal")), "");
  EXPECT_TRUE(trace_->WaitFor("LINE size 50x132"));
  EXPECT_TRUE(Do(child, ResizePty{33, 101}).ok());
  EXPECT_TRUE(trace_->WaitFor("LINE size 33x101"));
  Type(child, "quit\n");
  EXPECT_TRUE(trace_->WaitFor("CL"));
  EXPECT_TRUE(absl::IsNotFound(Do(child, ResizePty{1, 1})));
}

TEST_F(SubprocessPtyTest, HasNoSizeWithoutATerminal) {
  Subprocess child = NewSubprocess();
  ASSERT_EQ(Start(child, Piped({ChildProgram("copy_input")})), "");
  EXPECT_EQ(Do(child, ResizePty{1, 1}).message(),
            "the process has no terminal");
  caf::anon_send(child, CloseStdin{});
  EXPECT_TRUE(Ask<ProcessEnded>(child, WaitForEnd{}).ok());
}

// Its session is told: nothing of ours holds the terminal.
TEST_F(SubprocessPtyTest, HangsUpWhenItsStreamsAreClosed) {
  Subprocess child = NewSubprocess();
  ASSERT_EQ(Start(child, OnTerminal("show_terminal")), "");
  EXPECT_TRUE(trace_->WaitFor("LINE size 50x132"));
  caf::anon_send(child, CloseStreams{});
  EXPECT_TRUE(trace_->WaitFor("CL"));
  EXPECT_EQ(trace_->Count("EXIT -1"), 1u);
}

// Ctrl-D, because a terminal has no half close.
TEST_F(SubprocessPtyTest, ReadsAnEndWhenCtrlDIsTyped) {
  Subprocess child = NewSubprocess();
  ASSERT_EQ(Start(child, OnTerminal("copy_input")), "");
  Type(child, "last\n\x04");
  EXPECT_TRUE(trace_->WaitFor("CL"));
  EXPECT_EQ(trace_->Count("LINE last"), 1u);
  EXPECT_EQ(trace_->Count("EXIT 0"), 1u);
}

// Ask 23 of the peers: the streams of a socket pair are those of a pipe.
TEST_F(SubprocessPtyTest, StreamsOfSocketPairsBehaveLikePipes) {
  Subprocess child = NewSubprocess();
  StartProcess start = Piped({ChildProgram("copy_input")});
  start.command.stdin_from = start.command.stdout_to = start.command.stderr_to =
      Stdio::SocketPair();
  start.observer = NewObserver();
  ASSERT_EQ(Start(child, start), "");
  Type(child, "through");
  caf::anon_send(child, CloseStdin{});
  EXPECT_TRUE(trace_->WaitFor("CL"));
  EXPECT_EQ(Out(), "through");
  EXPECT_EQ(trace_->Count("EXIT 0"), 1u);
  for (const char* closed : {"PCL 0", "PCL 1", "PCL 2"}) {
    EXPECT_EQ(trace_->Count(closed), 1u) << closed;
  }
}

}  // namespace
}  // namespace troupe
