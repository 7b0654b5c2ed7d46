#include "process/child_setup.h"

#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>

#include "gtest/gtest.h"
#include "process/spawn_plan.h"
#include "tests/support/leak_check.h"

namespace troupe {
namespace {

class ChildSetupTest : public LeakCheckedTest {};

// The half of the abort that a test of Spawn cannot hit at will: the abort came
// after Spawn began and before there was a child.
TEST_F(ChildSetupTest, DoesNothingWhenItWasAbortedBeforeItStarted) {
  SpawnFlags flags = {.aborted = 1};
  ChildSetup setup;
  setup.flags = &flags;
  EXPECT_EQ(RunChildSetup(&setup), 127);
  EXPECT_EQ(flags.started, 1);
  EXPECT_EQ(setup.step, SpawnStep::kStart);
  EXPECT_EQ(setup.error_number, 0);
}

// Core rule 5, "getppid check": a parent that died before the kernel knew of
// the signal is found out. A plain fork stands in for the child here.
TEST_F(ChildSetupTest, EndsWhenItsParentIsGoneAlready) {
  SpawnFlags flags;
  const Command command = {.argv = {"/bin/true"},
                           .parent_death_signal = SIGKILL};
  auto plan = SpawnPlan::Prepare(command, &flags);
  ASSERT_TRUE(plan.ok());
  ChildSetup* setup = (*plan)->setup();
  setup->parent += 1;
  pid_t pid = fork();
  if (pid == 0) {
    RunChildSetup(setup);
    _exit(setup->step == SpawnStep::kParentDeath ? setup->error_number : 1);
  }
  int status = 0;
  ASSERT_EQ(waitpid(pid, &status, 0), pid);
  EXPECT_EQ(WEXITSTATUS(status), ESRCH);
}

TEST_F(ChildSetupTest, NamesEveryStep) {
  EXPECT_STREQ(SpawnStepName(SpawnStep::kStart), "spawn");
  EXPECT_STREQ(SpawnStepName(SpawnStep::kExec), "exec");
}

}  // namespace
}  // namespace troupe
