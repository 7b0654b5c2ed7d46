// How a subprocess stands, who holds its streams, what it says in debug mode
// (rows P9, P24 to P26), and when output came.
#include <signal.h>

#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "caf/exit_reason.hpp"
#include "caf/send.hpp"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "io/io_thread.h"
#include "process/pidfd_watcher.h"
#include "process/subprocess.h"
#include "tests/support/process_fixture.h"

namespace troupe {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::StartsWith;
using Phase = ProcessInfo::Phase;

class SubprocessInfoTest : public ProcessTest {
 protected:
  ProcessInfo InfoOf(const Subprocess& child) {
    auto info = Ask<ProcessInfo>(child, GetProcessInfo{});
    EXPECT_TRUE(info.ok()) << info.status();
    return info.ok() ? *info : ProcessInfo{};
  }
};

// Row P9: which streams are pipes, the pid, and the code when there is one.
TEST_F(SubprocessInfoTest, SaysHowItStands) {
  Subprocess child = NewSubprocess();
  EXPECT_EQ(InfoOf(child).phase, Phase::kNotStarted);
  StartProcess start = Piped({ChildProgram("wait_for_eof")});
  start.command.stderr_to = Stdio::Null();
  ASSERT_EQ(Start(child, start), "");
  ASSERT_TRUE(trace_->WaitFor("DATA 1 'r'"));
  ProcessInfo info = InfoOf(child);
  EXPECT_EQ(info.phase, Phase::kRunning);
  EXPECT_EQ(info.pid, pid_);
  ASSERT_TRUE(info.in.has_value());
  ASSERT_TRUE(info.out.has_value());
  EXPECT_FALSE(info.err.has_value());
  EXPECT_GE(info.in->fd, 3);
  EXPECT_EQ(info.out->reading.delivered, 1u);
  caf::anon_send(child, CloseStdin{});
  ASSERT_TRUE(trace_->WaitFor("CL"));
  info = InfoOf(child);
  EXPECT_EQ(info.phase, Phase::kExited);
  EXPECT_EQ(info.status, ExitStatus::Exited(0));
  EXPECT_TRUE(info.ended);
  EXPECT_TRUE(info.out->closed);
  EXPECT_EQ(ToString(info),
            absl::StrCat("<Subprocess closed pid=", pid_, " returncode=0>"));
}

// Rows A1, V5.
TEST_F(SubprocessInfoTest, NamesWhoHoldsItsStreams) {
  Subprocess child = NewSubprocess();
  ASSERT_EQ(Start(child, Piped({ChildProgram("hold_stdout")})), "");
  ASSERT_TRUE(trace_->WaitFor("EXIT 0"));
  ASSERT_TRUE(trace_->WaitUntil([&](const std::vector<std::string>&) {
    return absl::StrContains(Out(), "\n");
  }));
  auto held = Ask<StreamHolders>(child, ListHolders{});
  ASSERT_TRUE(held.ok()) << held.status();
  std::vector<std::string> holders;
  for (const StreamHolder& holder : held->holders) {
    holders.push_back(absl::StrCat(holder.pid, "\n", holder.program, " ",
                                   static_cast<int>(holder.stream)));
  }
  EXPECT_THAT(holders,
              ElementsAre(Out() + "hold_stdout 1", Out() + "hold_stdout 2"));
  caf::anon_send(child, CloseStdin{});
  ASSERT_TRUE(trace_->WaitFor("CL"));
  held = Ask<StreamHolders>(child, ListHolders{});
  ASSERT_TRUE(held.ok()) << held.status();
  EXPECT_THAT(held->holders, IsEmpty());
}

TEST_F(SubprocessInfoTest, SaysWhenOutputWasRead) {
  std::vector<absl::Duration> times;
  Subprocess child = NewSubprocess();
  StartProcess start = Piped({ChildProgram("copy_input")});
  start.observer = NewObserver(
      {.output = [&](ProcessOutput& output) { times.push_back(output.at); }});
  ASSERT_EQ(Start(child, start), "");
  for (const char* text : {"a", "b"}) {
    caf::anon_send(child, Write{Bytes::Copy(text), {}});
    ASSERT_TRUE(trace_->WaitFor(absl::StrCat("DATA 1 '", text, "'")));
  }
  caf::anon_send(child, CloseStdin{});
  ASSERT_TRUE(trace_->WaitFor("CL"));
  auto exited = Ask<ProcessExited>(child, WaitForExit{});
  ASSERT_TRUE(exited.ok());
  ASSERT_EQ(times.size(), 2u);
  EXPECT_GT(times[0], absl::ZeroDuration());
  EXPECT_GT(times[1], times[0]);
  EXPECT_GT(exited->ran, times[1]);
}

class SubprocessDebugTest : public SubprocessInfoTest {
 protected:
  SubprocessDebugTest() {
    StopIo();
    IoThread::Options options;
    options.debug = [log = log_](absl::string_view line) {
      if (absl::StrContains(line, "ipe ")) return;  // its transports
      log->Add(std::string(line));
    };
    auto io = IoThread::Start(*system_, std::move(options));
    EXPECT_TRUE(io.ok()) << io.status();
    io_ = *std::move(io);
    watcher_ = SpawnPidfdWatcher(host(), io_->actor());
  }
  std::shared_ptr<Trace> log_ = std::make_shared<Trace>();
};

// Row P26; and row P24: one that has ended is not named.
TEST_F(SubprocessDebugTest, SaysWhatItExecutesAndWhatBecomesOfIt) {
  StartProcess start = Quiet({ChildProgram("exit_with"), "3"});
  ASSERT_EQ(Start(NewSubprocess(), start), "");
  ASSERT_TRUE(trace_->WaitFor("CL"));
  StopAll();
  const std::string program =
      absl::StrCat("program \"", ChildProgram("exit_with"), "\"");
  EXPECT_THAT(
      log_->events(),
      ElementsAre(absl::StrCat("execute ", program,
                               " stdin=<null> stdout=<null> stderr=<null>"),
                  absl::StrCat("process \"", ChildProgram("exit_with"),
                               "\" created: pid ", pid_),
                  absl::StrCat("<Subprocess pid=", pid_,
                               " returncode=3> exited with return code 3")));
}

// Rows P24, V24: it is killed without a word to anybody, and then named.
TEST_F(SubprocessDebugTest, NamesAProcessThatNobodyEnded) {
  ASSERT_EQ(Start(NewSubprocess(), Piped({ChildProgram("ignore_sigterm")})),
            "");
  ASSERT_TRUE(trace_->WaitFor("DATA 1 'r'"));
  StopAll();
  EXPECT_EQ(log_->Count(absl::StrCat("unclosed process <Subprocess pid=", pid_,
                                     " running>")),
            1u);
  EXPECT_TRUE(WaitUntilGone(pid_));
}

TEST_F(SubprocessDebugTest, NamesNoProcessThatDidNotStart) {
  EXPECT_NE(Start(NewSubprocess(), Quiet({"/no/such"})), "");
  StopAll();
  EXPECT_THAT(log_->events(), ElementsAre(StartsWith("execute program")));
}

}  // namespace
}  // namespace troupe
