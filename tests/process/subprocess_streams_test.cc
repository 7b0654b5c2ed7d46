// What goes through a child's standard streams: rows P9, P13, P15, P16, P27 and
// P29, and the credit from the pipe to the observer.
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>

#include <atomic>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "caf/send.hpp"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "io/framing/separator_framer.h"
#include "process/subprocess.h"
#include "tests/support/leased_program.h"
#include "tests/support/process_fixture.h"

namespace troupe {
namespace {

using ::testing::UnorderedElementsAre;

constexpr size_t kMiB = 1024 * 1024;

// Keeps the credits of all output until they are let go.
class Credits {
 public:
  ObserverScript Keeper() {
    return {.output =
                [this](ProcessOutput& output) {
                  std::lock_guard<std::mutex> lock(mutex_);
                  if (open_) return;
                  kept_.push_back(std::move(output.credit));
                },
            .note_output = false};
  }
  void LetGo() {
    std::vector<Credit> kept;
    std::lock_guard<std::mutex> lock(mutex_);
    kept.swap(kept_);
  }
  void KeepNoMore() {
    {
      std::lock_guard<std::mutex> lock(mutex_);
      open_ = true;
    }
    LetGo();
  }

 private:
  std::mutex mutex_;
  bool open_ = false;
  std::vector<Credit> kept_;
};

class SubprocessStreamsTest : public ProcessTest {
 protected:
  static std::string Pattern(size_t size) {
    std::string text(size, 0);
    for (size_t i = 0; i < size; ++i) text[i] = 'a' + i % 23 + i / 4096 % 3;
    return text;
  }

  size_t OutSize() const { return got_->Size(ProcessStream::kStdout); }

  // When the child does not run and no more output comes: it waits for room,
  // or has ended.
  size_t SizeWhenStuck() {
    size_t last = OutSize();
    for (int same = 0, tries = 0; same < 20 && tries < 20000; ++tries) {
      poll(nullptr, 0, 1);
      same = OutSize() == last && StateOf(pid_) != 'R' ? same + 1 : 0;
      last = OutSize();
    }
    return last;
  }

  void StopSilently(const Subprocess& child) {
    ASSERT_TRUE(Do(child, SendSignal{SIGSTOP}).ok());
    siginfo_t info;
    ASSERT_EQ(waitid(P_PID, pid_, &info, WSTOPPED | WNOWAIT), 0);
  }

  Credits credits_;
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
  StopSilently(child);
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

// The credit of a Write goes back when its bytes are written: a copy from one
// child to another is bounded end to end.
TEST_F(SubprocessStreamsTest, PassesCreditFromOneChildToTheNext) {
  Subprocess source = NewSubprocess(), sink = NewSubprocess();
  StartProcess start = Piped({ChildProgram("copy_input")});
  start.observer = NewObserver({.output = {}, .note_output = false});
  ASSERT_EQ(Start(sink, start), "");
  StopSilently(sink);
  std::atomic<size_t> passed{0};
  StartProcess flood = Piped({ChildProgram("flood"), absl::StrCat(8 * kMiB)});
  auto sink_got = std::exchange(got_, std::make_shared<Received>());
  flood.observer =
      NewObserver({.output =
                       [&, sink](ProcessOutput& output) {
                         passed += output.bytes.size();
                         caf::anon_send(sink, Write{std::move(output.bytes),
                                                    std::move(output.credit)});
                       },
                   .note_output = false});
  pid_t sink_pid = pid_;
  ASSERT_EQ(Start(source, flood), "");
  size_t stuck = SizeWhenStuck();
  EXPECT_LE(stuck, kMiB);  // window, one block, and what the pipe took
  ASSERT_EQ(kill(sink_pid, SIGCONT), 0);
  ASSERT_TRUE(trace_->WaitFor("CL"));
  caf::anon_send(sink, CloseStdin{});
  ASSERT_TRUE(trace_->WaitFor("CL", 2));
  EXPECT_EQ(sink_got->Size(ProcessStream::kStdout), 8 * kMiB);
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

// A child that fills its pipe waits; memory is bounded by the window.
TEST_F(SubprocessStreamsTest, AFloodIsHeldUpByCreditAndThenDrained) {
  Subprocess child = NewSubprocess();
  StartProcess start = Piped({ChildProgram("flood"), absl::StrCat(16 * kMiB)});
  start.window = 128 * 1024;
  start.observer = NewObserver(credits_.Keeper());
  ASSERT_EQ(Start(child, start), "");
  EXPECT_LE(SizeWhenStuck(), 256 * 1024u);
  EXPECT_EQ(trace_->Count("CL"), 0u);
  credits_.LetGo();
  size_t stuck = SizeWhenStuck();
  EXPECT_LE(stuck, 512 * 1024u);
  credits_.KeepNoMore();
  ASSERT_TRUE(trace_->WaitFor("CL"));
  EXPECT_EQ(OutSize(), 16 * kMiB);
  EXPECT_EQ(trace_->Count("EXIT 0"), 1u);
}

// What a child writes one byte at a time costs memory by the message.
TEST_F(SubprocessStreamsTest, ABytewiseChildIsHeldUpByCreditToo) {
  Subprocess child = NewSubprocess();
  StartProcess start =
      Piped({ChildProgram("write_bytewise"), std::string(100000, 'x')});
  start.window = 64 * 1024;
  start.observer = NewObserver(credits_.Keeper());
  ASSERT_EQ(Start(child, start), "");
  SizeWhenStuck();
  credits_.KeepNoMore();
  ASSERT_TRUE(trace_->WaitFor("CL"));
  EXPECT_EQ(OutSize(), 100000u);
}

// The first chunk takes all credit, and the rest has room in the pipe.
TEST_F(SubprocessStreamsTest, ExitIsToldWhileOutputWaitsForCredit) {
  Subprocess child = NewSubprocess();
  StartProcess start = Piped({ChildProgram("flood"), "90000"});
  start.window = 1024;
  start.observer = NewObserver(credits_.Keeper());
  ASSERT_EQ(Start(child, start), "");
  for (int i = 0; i < 20 && trace_->Count("EXIT 0") == 0; ++i) {
    if (SizeWhenStuck() < 20000) credits_.LetGo();
  }
  ASSERT_TRUE(trace_->WaitFor("EXIT 0"));
  EXPECT_LT(OutSize(), 90000u);
  EXPECT_EQ(trace_->Count("CL"), 0u);
  credits_.KeepNoMore();
  ASSERT_TRUE(trace_->WaitFor("CL"));
  EXPECT_EQ(OutSize(), 90000u);
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

// A slow observer holds credit longer than the silence: nothing is lost, at
// whatever moment the credit comes back. All is written, as stderr says, and
// part of it waits in the pipe.
TEST_F(SubprocessStreamsTest, SilenceLosesNothingOfASlowObserver) {
  constexpr size_t kSize = 100000;
  for (int round = 1; round <= 30; ++round) {
    got_ = std::make_shared<Received>();
    Subprocess child = NewSubprocess();
    StartProcess start =
        Piped({ChildProgram("flood_and_hold"), absl::StrCat(kSize)});
    start.window = 1024;
    Credits credits;
    start.observer = NewObserver(credits.Keeper());
    ASSERT_EQ(Start(child, start), "");
    while (SizeWhenStuck() < kSize - 65536) credits.LetGo();
    while (got_->Size(ProcessStream::kStderr) == 0) poll(nullptr, 0, 1);
    caf::anon_send(child, CloseStreamsWhenSilent{absl::Milliseconds(1)});
    for (int i = 0; trace_->Count("CL") < static_cast<size_t>(round); ++i) {
      poll(nullptr, 0, 1);
      credits.LetGo();
      ASSERT_LT(i, 20000);
    }
    EXPECT_EQ(OutSize(), kSize);
  }
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
