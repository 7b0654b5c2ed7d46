// What goes through a child's standard streams: rows P9, P13, P15, P16, P27 and
// P29.
#include <signal.h>

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "caf/scoped_actor.hpp"
#include "caf/send.hpp"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "io/bytes.h"
#include "io/framing/separator_framer.h"
#include "process/subprocess.h"
#include "tests/support/leased_program.h"
#include "tests/support/process_fixture.h"
#include "tests/support/trace.h"

namespace troupe {
namespace {

using ::testing::UnorderedElementsAre;

constexpr size_t kMiB = 1024 * 1024;

class SubprocessStreamsTest : public ProcessTest {
 protected:
  static std::string Pattern(size_t size) {
    std::string text(size, 0);
    for (size_t i = 0; i < size; ++i) text[i] = 'a' + i % 23 + i / 4096 % 3;
    return text;
  }
};

TEST_F(SubprocessStreamsTest, WhatIsWrittenComesBackByteForByte) {
  Subprocess child = NewSubprocess();
  StartProcess start = Piped({ChildProgram("copy_input")});
  start.observer = NewObserver({.output = {}, .note_output = true});
  ASSERT_EQ(Start(child, start), "");
  std::string sent = Pattern(4 * kMiB + 17);
  for (size_t at = 0; at < sent.size(); at += 100000) {
    // A request each: none is sent before there is room for it.
    auto drained =
        Ask<Drained>(child, Write{Bytes(sent.substr(at, 100000)), {}});
    ASSERT_TRUE(drained.ok()) << drained.status();
    ASSERT_LE(drained->buffered, 64 * 1024u);
  }
  caf::anon_send(child, CloseStdin{});
  ASSERT_TRUE(trace_->WaitFor("CL"));
  EXPECT_TRUE(Out() == sent) << Out().size();
  EXPECT_EQ(trace_->Count("EXIT 0"), 1u);
}

TEST_F(SubprocessStreamsTest, WhatIsWrittenBeforeItRunsWaitsForIt) {
  Subprocess child = NewSubprocess();
  StartProcess start = Piped({ChildProgram("copy_input")});
  start.observer = NewObserver();
  caf::scoped_actor self(*system_);
  self->send(child, start);
  self->send(child, Write{Bytes("first,"), {}});
  self->send(child, Write{Bytes("second"), {}});
  self->send(child, CloseStdin{});
  ASSERT_TRUE(trace_->WaitFor("CL"));
  EXPECT_EQ(Out(), "first,second");
  EXPECT_EQ(trace_->events().front(), "CM");
}

// Also when it is more than the high mark, whose answer waits.
TEST_F(SubprocessStreamsTest, AWriteAboveTheMarkBeforeItRunsIsAnswered) {
  for (int round = 1; round <= 20; ++round) {
    got_ = std::make_shared<Received>();
    Subprocess child = NewSubprocess();
    StartProcess start = Piped({ChildProgram("copy_input")});
    start.observer = NewObserver({.output = {}, .note_output = false});
    caf::scoped_actor self(*system_);
    self->send(child, start);
    auto drained = Ask<Drained>(child, Write{Bytes(Pattern(70000)), {}});
    ASSERT_TRUE(drained.ok()) << drained.status();
    self->send(child, CloseStdin{});
    ASSERT_TRUE(trace_->WaitFor("CL", round));
    EXPECT_EQ(OutSize(), 70000u);
  }
}

// P27; golden trace "write pipe": PAUSE above the mark, RESUME when drained.
TEST_F(SubprocessStreamsTest, PausesAndResumesItsWriter) {
  Subprocess child = NewSubprocess();
  StartProcess start = Piped({ChildProgram("copy_input")});
  start.observer = NewObserver({.output = {}, .note_output = false});
  ASSERT_EQ(Start(child, start), "");
  Freeze(child);
  caf::anon_send(child, Write{Bytes(Pattern(kMiB)), {}});
  ASSERT_TRUE(trace_->WaitFor("PAUSE"));
  AskLater<Drained>("write", child, Write{Bytes("x"), {}});
  EXPECT_EQ(trace_->Count("RESUME"), 0u);
  EXPECT_EQ(trace_->Count("write: drained 0"), 0u);
  ASSERT_TRUE(Do(child, SendSignal{SIGCONT}).ok());
  ASSERT_TRUE(trace_->WaitFor("RESUME"));
  ASSERT_TRUE(trace_->WaitUntil([](const std::vector<std::string>& events) {
    return absl::StartsWith(events.back(), "write: drained ") ||
           absl::StartsWith(events[events.size() - 2], "write: drained ");
  }));
  caf::anon_send(child, CloseStdin{});
  ASSERT_TRUE(trace_->WaitFor("CL"));
  EXPECT_EQ(OutSize(), kMiB + 1);
  EXPECT_EQ(trace_->Count("PAUSE"), trace_->Count("RESUME"));
}

TEST_F(SubprocessStreamsTest, RefusesToWriteWhenStdinIsNoPipe) {
  Subprocess child = NewSubprocess();
  ASSERT_EQ(Start(child, Quiet({ChildProgram("exit_with"), "0"})), "");
  auto written = Ask<Drained>(child, Write{Bytes("x"), {}});
  EXPECT_EQ(written.status().message(), "stdin is not a pipe");
  ASSERT_TRUE(trace_->WaitFor("CL"));
}

// P29: never more than an answer and a closed stream.
TEST_F(SubprocessStreamsTest, WritingToAChildThatExitsIsRefusedWithoutHarm) {
  for (int round = 1; round <= 30; ++round) {
    Subprocess child = NewSubprocess();
    ASSERT_EQ(Start(child, Piped({ChildProgram("exit_with"), "0"})), "");
    absl::Status status;
    for (int i = 0; i < 100 && status.ok(); ++i) {
      caf::anon_send(child, Write{Bytes(Pattern(5000)), {}});
      status = Ask<Drained>(child, Write{Bytes(Pattern(5000)), {}}).status();
    }
    EXPECT_FALSE(status.ok());
    ASSERT_TRUE(trace_->WaitFor("CL", round));
  }
  size_t closed = 0;
  for (const std::string& event : trace_->events()) {
    closed += absl::StartsWith(event, "PCL 0");
  }
  EXPECT_EQ(closed, 30u);
}

// P15: the streams close before the exit.
TEST_F(SubprocessStreamsTest, TellsOfAStdoutThatIsClosedEarly) {
  Subprocess child = NewSubprocess();
  ASSERT_EQ(Start(child, Piped({ChildProgram("close_stdout")})), "");
  ASSERT_TRUE(trace_->WaitFor("PCL 1"));
  EXPECT_EQ(trace_->Count("EXIT 0"), 0u);
  caf::anon_send(child, CloseStdin{});
  ASSERT_TRUE(trace_->WaitFor("CL"));
  EXPECT_THAT(trace_->events(), UnorderedElementsAre("CM", "PCL 0", "PCL 1",
                                                     "PCL 2", "EXIT 0", "CL"));
}

TEST_F(SubprocessStreamsTest, MergedStreamsComeInTheOrderTheyWereWritten) {
  Subprocess child = NewSubprocess();
  StartProcess start = Piped({ChildProgram("write_both")});
  start.command.stderr_to = Stdio::Merged();
  ASSERT_EQ(Start(child, start), "");
  ASSERT_TRUE(trace_->WaitFor("CL"));
  EXPECT_EQ(Out(), "outerr");
  EXPECT_EQ(trace_->Count("PCL 2"), 0u);
}

// Row A28: whoever reads one stream to its end before the other waits for ever.
// A framer for each stream in one observer takes lines as they come, from both.
TEST_F(SubprocessStreamsTest, LinesOfBothStreamsComeWithoutADeadlock) {
  constexpr int kBurst = 50000;  // many times what a pipe and a window hold
  struct Lines {
    SeparatorFramer framer = *SeparatorFramer::Create({});
    int count = 0;
    int wrong = 0;
  };
  Lines out, err;
  auto take = [](Lines& lines, const char* name, Bytes& chunk) {
    while (auto line = lines.framer.Next(chunk)) {
      lines.wrong +=
          line->bytes.view() != absl::StrCat(name, " ", lines.count++);
    }
  };
  Subprocess child = NewSubprocess();
  StartProcess start =
      Piped({ChildProgram("write_lines"), absl::StrCat(kBurst)});
  start.window = 64 * 1024;
  start.observer =
      NewObserver({.output =
                       [&](ProcessOutput& output) {
                         if (output.stream == ProcessStream::kStdout) {
                           take(out, "out", output.bytes);
                         } else {
                           take(err, "err", output.bytes);
                         }
                       },
                   .note_output = false});
  ASSERT_EQ(Start(child, start), "");
  ASSERT_TRUE(trace_->WaitFor("CL"));
  EXPECT_EQ(out.count, 3 * kBurst);
  EXPECT_EQ(err.count, 3 * kBurst);
  EXPECT_EQ(out.wrong + err.wrong, 0);
  EXPECT_EQ(trace_->Count("EXIT 0"), 1u);
}

// -- giving the streams up ----------------------------------------------------

TEST_F(SubprocessStreamsTest, ClosesSilentStreamsOfAGrandchild) {
  Subprocess child = NewSubprocess();
  ASSERT_EQ(Start(child, Piped({ChildProgram("hold_stdout")})), "");
  ASSERT_TRUE(trace_->WaitFor("EXIT 0"));
  caf::anon_send(child, CloseStreamsWhenSilent{absl::Milliseconds(20)});
  ASSERT_TRUE(trace_->WaitFor("CL"));
  EXPECT_EQ(trace_->Count("PCL 1"), 1u);
}

// There is no silence before there is a child.
TEST_F(SubprocessStreamsTest, SilenceBeginsWithTheChild) {
  LeasedProgram program;
  if (!program.held()) GTEST_SKIP() << "no leases on this file system";
  Subprocess hanging = NewSubprocess();
  StartProcess first = Quiet({program.path()});
  first.spawn_deadline = absl::Milliseconds(1500);
  caf::scoped_actor self(*system_);
  self->send(hanging, first);
  Subprocess child = NewSubprocess();
  StartProcess start = Piped({ChildProgram("write_both")});
  start.observer = NewObserver();
  self->send(child, start);
  self->send(child, CloseStreamsWhenSilent{absl::Milliseconds(500)});
  ASSERT_TRUE(trace_->WaitFor("CL"));
  EXPECT_EQ(Out(), "out");
  EXPECT_EQ(Err(), "err");
}

TEST_F(SubprocessStreamsTest, ClosesItsStreamsAtOnceWhenAsked) {
  Subprocess child = NewSubprocess();
  ASSERT_EQ(Start(child, Piped({ChildProgram("hold_stdout")})), "");
  ASSERT_TRUE(trace_->WaitFor("EXIT 0"));
  caf::anon_send(child, CloseStreams{});
  ASSERT_TRUE(trace_->WaitFor("CL"));
  caf::anon_send(child, CloseStreams{});
  caf::anon_send(child, CloseStreamsWhenSilent{});
  EXPECT_TRUE(Ask<ProcessEnded>(child, WaitForEnd{}).ok());
}

// Whenever it comes, also before the transports are connected.
TEST_F(SubprocessStreamsTest, StreamsClosedDuringTheSpawnCloseWithoutAnError) {
  for (int round = 1; round <= 30; ++round) {
    trace_ = std::make_shared<Trace>();
    Subprocess child = NewSubprocess();
    StartProcess start = Piped({ChildProgram("close_stdout")});
    start.observer = NewObserver();
    caf::scoped_actor self(*system_);
    self->send(child, start);
    if (round % 2 == 0) {
      ASSERT_TRUE(trace_->WaitFor("CM"));
    }
    self->send(child, CloseStreams{});
    ASSERT_TRUE(trace_->WaitFor("CL"));
    EXPECT_THAT(
        trace_->events(),
        UnorderedElementsAre("CM", "PCL 0", "PCL 1", "PCL 2", "EXIT 0", "CL"));
    EXPECT_EQ(trace_->events().front(), "CM");
  }
}

}  // namespace
}  // namespace troupe
