// A spawn that hangs in its exec: deadlines, stops, and whom it holds up.
#include <signal.h>

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "caf/scoped_actor.hpp"
#include "caf/send.hpp"
#include "gtest/gtest.h"
#include "process/process_messages.h"
#include "process/spawn_attempt.h"
#include "tests/process/subprocess_stop_fixture.h"
#include "tests/support/leased_program.h"
#include "tests/support/yield_until.h"

namespace troupe {
namespace {

using std::chrono::milliseconds;

class HangingSpawnTest : public SubprocessStopTest {};

// A plan is over in its time also when the child is not there yet.
TEST_F(HangingSpawnTest, AStopEndsASpawnThatHangs) {
  LeasedProgram program;
  if (!program.held()) GTEST_SKIP() << "no leases on this file system";
  Subprocess child = NewSubprocess();
  StartProcess start = Piped({program.path()});
  start.observer = NewObserver();
  start.spawn_deadline = absl::Hours(1);
  caf::scoped_actor self(*system_);
  self->send(child, start);
  EXPECT_EQ(StopBy(child, {Plan({{SIGTERM, milliseconds(50)}, {SIGKILL}})}),
            absl::StrCat("exec \"", program.path(), "\": Timer expired"));
  EXPECT_GE(took_, milliseconds(50));
  EXPECT_LT(took_, milliseconds(10000));  // the lease would last 45 s
  EXPECT_EQ(trace_->Count("CM"), 0u);
}

// Core rule 5: the spawn deadline.
TEST_F(HangingSpawnTest, TheSpawnDeadlineEndsASpawnThatHangs) {
  LeasedProgram program;
  if (!program.held()) GTEST_SKIP() << "no leases on this file system";
  StartProcess start = Piped({program.path()});
  start.spawn_deadline = absl::Milliseconds(50);
  EXPECT_EQ(Start(NewSubprocess(), start),
            absl::StrCat("exec \"", program.path(), "\": Timer expired"));
  // The spawner is free for the next.
  EXPECT_EQ(Start(NewSubprocess(), Quiet({ChildProgram("exit_with")})), "");
  ASSERT_TRUE(trace_->WaitFor("CL"));
}

// A spawn that waits behind one that hangs has its own deadline.
TEST_F(HangingSpawnTest, ASpawnInTheQueueEndsByItsOwnDeadline) {
  LeasedProgram program;
  if (!program.held()) GTEST_SKIP() << "no leases on this file system";
  Subprocess hanging = NewSubprocess(), queued = NewSubprocess();
  StartProcess first = Quiet({program.path()});
  first.spawn_deadline = absl::Milliseconds(200);
  StartProcess second = Quiet({ChildProgram("exit_with")});
  second.spawn_deadline = absl::Milliseconds(50);
  AskLater<ProcessStarted>("first", hanging, first);
  AskLater<ProcessStarted>("second", queued, second);
  ASSERT_TRUE(trace_->WaitFor(
      absl::StrCat("first: exec \"", program.path(), "\": Timer expired")));
  ASSERT_TRUE(trace_->WaitUntil([](const std::vector<std::string>& events) {
    return events.size() >= 2;
  }));
}

// The spawner stands still, but who is in a group and who holds a pipe is not
// asked there.
TEST_F(HangingSpawnTest, ASpawnThatHangsHoldsUpNobodyElsesStop) {
  LeasedProgram program;
  if (!program.held()) GTEST_SKIP() << "no leases on this file system";
  Subprocess child = Ready("wait_for_eof");
  auto attempt = std::make_shared<SpawnAttempt>();
  caf::anon_send(spawner_, SpawnChild{{.argv = {program.path()}}, attempt});
  ASSERT_TRUE(YieldUntil([&] {
    return __atomic_load_n(&attempt->flags()->started, __ATOMIC_SEQ_CST) != 0;
  }));
  EXPECT_TRUE(Ask<StreamHolders>(child, ListHolders{}).ok());
  EXPECT_EQ(StopBy(child), "EXIT -15");
  EXPECT_TRUE(attempt->Abort());  // it hung all the while
  ASSERT_TRUE(trace_->WaitFor("CL"));
}

}  // namespace
}  // namespace troupe
