// Starts that are refused or fail (row P6), and what everybody is told then.
#include <signal.h>

#include <cerrno>

#include "absl/status/status.h"
#include "caf/actor_system.hpp"
#include "caf/actor_system_config.hpp"
#include "caf/atom.hpp"
#include "caf/exit_reason.hpp"
#include "caf/io/middleman.hpp"
#include "caf/scoped_actor.hpp"
#include "caf/send.hpp"
#include "caf/typed_event_based_actor.hpp"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "io/os_error.h"
#include "io/status_error.h"
#include "process/process_messages.h"
#include "process/subprocess.h"
#include "tests/support/process_fixture.h"

namespace troupe {
namespace {

using ::testing::IsEmpty;
using ::testing::Not;

class SubprocessStartTest : public ProcessTest {};

TEST_F(SubprocessStartTest, StartsOneProcessOnly) {
  Subprocess child = NewSubprocess();
  StartProcess start = Quiet({ChildProgram("exit_with"), "0"});
  ASSERT_EQ(Start(child, start), "");
  EXPECT_EQ(Start(child, start), "the process was started already");
  ASSERT_TRUE(trace_->WaitFor("CL"));
  EXPECT_EQ(Start(child, start), "the process was started already");
}

TEST_F(SubprocessStartTest, AFailedStartSaysStepPathAndErrno) {
  auto started = Ask<ProcessStarted>(
      NewSubprocess(), StartProcess{{.argv = {"/no/such", "x"}}, {}});
  EXPECT_TRUE(absl::IsNotFound(started.status()));
  EXPECT_EQ(started.status().message(),
            "exec \"/no/such\": No such file or directory");
  auto failure = OsFailureOf(started.status());
  ASSERT_TRUE(failure.has_value());
  EXPECT_EQ(failure->step, "exec");
  EXPECT_EQ(failure->path, "/no/such");
  EXPECT_EQ(failure->error_number, ENOENT);
}

// Core rule 4: credit does not cross to another node.
TEST_F(SubprocessStartTest, RefusesAnObserverOfAnotherNode) {
  caf::actor_system_config config;
  config.set("scheduler.policy", caf::atom("sharing"));
  config.load<caf::io::middleman>();  // which makes it a node of its own
  caf::actor_system other(config);
  ProcessObserver far = other.spawn([]() -> ProcessObserver::behavior_type {
    return {[](const ProcessStarted&) {}, [](const ProcessOutput&) {},
            [](const StreamClosed&) {},   [](const ProcessExited&) {},
            [](const ProcessEnded&) {},   [](const PauseWriting&) {},
            [](const ResumeWriting&) {}};
  });
  Subprocess child = NewSubprocess();
  StartProcess start = Quiet({ChildProgram("exit_with"), "0"});
  start.observer = far;
  EXPECT_EQ(Start(child, start),
            "the observer of a process must live in this program");
  caf::anon_send_exit(far, caf::exit_reason::user_shutdown);
}

// The fixture looks for what is left.
TEST_F(SubprocessStartTest, AFailedStartTellsTheObserverNothing) {
  Subprocess child = NewSubprocess();
  EXPECT_THAT(Start(child, Piped({"/no/such"})), Not(IsEmpty()));
  StopAll();
  EXPECT_THAT(trace_->events(), IsEmpty());
}

TEST_F(SubprocessStartTest, AFailedStartAnswersEveryoneWhoWaits) {
  Subprocess child = NewSubprocess();
  caf::scoped_actor self(*system_);
  auto exit = self->request(child, kPatience, WaitForExit{});
  auto end = self->request(child, kPatience, WaitForEnd{});
  auto start =
      self->request(child, kPatience, StartProcess{{.argv = {"/no/such"}}, {}});
  int answers = 0;
  auto refused = [&](const caf::error& why) {
    ++answers;
    EXPECT_EQ(StatusOf(why).message(),
              "exec \"/no/such\": No such file or directory");
  };
  start.receive([](const ProcessStarted&) {}, refused);
  exit.receive([](const ProcessExited&) {}, refused);
  end.receive([](const ProcessEnded&) {}, refused);
  EXPECT_EQ(answers, 3);
}

TEST_F(SubprocessStartTest, AfterAFailedStartRequestsAreAnsweredByErrors) {
  Subprocess child = NewSubprocess();
  EXPECT_THAT(Start(child, Piped({"/no/such"})), Not(IsEmpty()));
  EXPECT_FALSE(Ask<ProcessExited>(child, WaitForExit{}).ok());
  EXPECT_FALSE(Ask<ProcessExited>(child, StopProcess{}).ok());
  EXPECT_FALSE(Do(child, SendSignal{SIGTERM}).ok());
}

TEST_F(SubprocessStartTest,
       RefusesAStopPlanThatEndsNothingAndMayBeStartedAgain) {
  Subprocess child = NewSubprocess();
  StartProcess start = Quiet({ChildProgram("exit_with"), "0"});
  start.stop_plan.rungs = {{SIGSTOP}};
  EXPECT_EQ(Start(child, start), "stop plan: SIGSTOP ends no process");
  start.stop_plan = StopPlan();
  EXPECT_EQ(Start(child, start), "");
  ASSERT_TRUE(trace_->WaitFor("CL"));
}

}  // namespace
}  // namespace troupe
