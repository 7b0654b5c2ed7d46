// Children that outlive what started them (row 68 of the peers). The fixture
// looks for what is left.
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include <cstdlib>
#include <memory>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "caf/exit_reason.hpp"
#include "caf/send.hpp"
#include "gtest/gtest.h"
#include "process/exit_status.h"
#include "process/process_messages.h"
#include "process/spawn.h"
#include "process/subprocess.h"
#include "tests/process/ran_child.h"
#include "tests/support/process_fixture.h"

namespace troupe {
namespace {

class SubprocessDetachTest : public ProcessTest {
 protected:
  // Ends at the end of its stdin, which we hold.
  Subprocess Detached(StartProcess start) {
    auto [in, out] = MakePipe();
    start.command.stdin_from =
        Stdio::Descriptor(std::make_shared<const OwnedFd>(std::move(in)));
    stdin_ = std::move(out);
    start.observer = observer_ = NewObserver();
    Subprocess child = NewSubprocess();
    EXPECT_EQ(Start(child, std::move(start)), "");
    auto detached = Ask<ProcessDetached>(child, DetachProcess{});
    EXPECT_TRUE(detached.ok()) << detached.status();
    EXPECT_EQ(detached.value_or(ProcessDetached{}).pid, pid_);
    return child;
  }

  OwnedFd stdin_;
  ProcessObserver observer_;
};

TEST_F(SubprocessDetachTest, TheChildLivesOnWhenTheProgramHasEnded) {
  ASSERT_EQ(prctl(PR_SET_CHILD_SUBREAPER, 1), 0);  // it becomes ours
  Command program;
  program.argv = {
      absl::StrCat(getenv("TEST_SRCDIR"), "/", getenv("TEST_WORKSPACE"),
                   "/tests/process/detach_child"),
      ChildProgram("wait_for_eof")};
  program.stdin_from = program.stdout_to = Stdio::Pipe();
  auto running = Spawn(program);
  ASSERT_TRUE(running.ok()) << running.status();
  OwnedFd input = std::move(running->stdin_pipe);
  const std::string out = ReadToEnd(running->stdout_pipe.get());
  EXPECT_EQ(EndOf(&*running), ExitStatus::Exited(0));
  int pid = -1;
  ASSERT_TRUE(absl::SimpleAtoi(out, &pid)) << out;
  EXPECT_FALSE(IsDead(pid));
  input.Close();
  int status = -1;
  EXPECT_EQ(waitpid(pid, &status, 0), pid);
  EXPECT_EQ(ExitStatus::FromWaitStatus(status), ExitStatus::Exited(0));
  ASSERT_EQ(prctl(PR_SET_CHILD_SUBREAPER, 0), 0);
}

TEST_F(SubprocessDetachTest, ItIsNeitherStoppedNorKilledWithItsOwner) {
  Subprocess child = Detached(Quiet({ChildProgram("wait_for_eof")}));
  caf::anon_send_exit(observer_, caf::exit_reason::kill);
  caf::anon_send_exit(child, caf::exit_reason::kill);
  StopAll();
  EXPECT_FALSE(IsDead(pid_));
  stdin_.Close();
  int status = -1;
  EXPECT_EQ(waitpid(pid_, &status, 0), pid_);
  EXPECT_EQ(ExitStatus::FromWaitStatus(status), ExitStatus::Exited(0));
}

TEST_F(SubprocessDetachTest, ItsStreamsAreGivenUpAndItsEndIsStillTold) {
  StartProcess start = Piped({ChildProgram("exit_with"), "3"});
  start.command.argv = {"sh", "-c", "read x; exit 3"};
  Subprocess child = Detached(std::move(start));
  ASSERT_TRUE(trace_->WaitFor("PCL 1"));
  ASSERT_TRUE(trace_->WaitFor("PCL 2"));
  EXPECT_EQ(trace_->Count("EXIT 3"), 0u);
  EXPECT_FALSE(IsDead(pid_));
  stdin_.Close();
  ASSERT_TRUE(trace_->WaitFor("CL"));
  EXPECT_EQ(trace_->Count("EXIT 3"), 1u);
  EXPECT_TRUE(WaitUntilGone(pid_));
}

TEST_F(SubprocessDetachTest, WithoutObserverItIsReapedWhileWeAreThere) {
  Subprocess child = Detached(InGroup(Quiet({ChildProgram("wait_for_eof")})));
  caf::anon_send_exit(observer_, caf::exit_reason::kill);
  stdin_.Close();
  EXPECT_TRUE(Ask<ProcessEnded>(child, WaitForEnd{}).ok());
  EXPECT_TRUE(WaitUntilGone(pid_));
}

TEST_F(SubprocessDetachTest, ItCanStillBeStopped) {
  Subprocess child = Detached(Quiet({ChildProgram("wait_for_eof")}));
  auto stopped = Ask<ProcessExited>(child, StopProcess{});
  ASSERT_TRUE(stopped.ok()) << stopped.status();
  EXPECT_EQ(Describe(*stopped), "EXIT -15");
  EXPECT_TRUE(IsGone(pid_));
  ASSERT_TRUE(trace_->WaitFor("CL"));
}

TEST_F(SubprocessDetachTest, OnlyARunningProcessIsDetached) {
  Subprocess child = NewSubprocess();
  EXPECT_TRUE(
      absl::IsNotFound(Ask<ProcessDetached>(child, DetachProcess{}).status()));
  ASSERT_EQ(Start(child, Quiet({ChildProgram("exit_with"), "0"})), "");
  ASSERT_TRUE(trace_->WaitFor("CL"));
  EXPECT_TRUE(
      absl::IsNotFound(Ask<ProcessDetached>(child, DetachProcess{}).status()));
}

TEST_F(SubprocessDetachTest, OneThatIsBeingStoppedIsNot) {
  Subprocess child = NewSubprocess();
  ASSERT_EQ(Start(child, Piped({ChildProgram("ignore_sigterm")})), "");
  ASSERT_TRUE(trace_->WaitFor("DATA 1 'r'"));
  caf::anon_send(child, StopProcess{});
  EXPECT_EQ(Ask<ProcessDetached>(child, DetachProcess{}).status().message(),
            "the process is being stopped");
  EXPECT_TRUE(
      Ask<ProcessExited>(child, StopProcess{StopPlan{{{SIGKILL}}}}).ok());
  ASSERT_TRUE(trace_->WaitFor("CL"));
}

TEST_F(SubprocessDetachTest, OneThatDiesWithItsParentIsNot) {
  Subprocess child = NewSubprocess();
  StartProcess start = Piped({ChildProgram("wait_for_eof")});
  start.command.parent_death_signal = SIGKILL;
  ASSERT_EQ(Start(child, std::move(start)), "");
  EXPECT_EQ(Ask<ProcessDetached>(child, DetachProcess{}).status().message(),
            "the process has a parent-death signal and would not outlive us");
  caf::anon_send(child, CloseStdin{});
  ASSERT_TRUE(trace_->WaitFor("CL"));
}

}  // namespace
}  // namespace troupe
