// The examples that the README names in reading order do what their first
// lines say.
#include <signal.h>

#include <cstdlib>
#include <string>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "process/reap.h"
#include "process/spawn.h"
#include "tests/process/ran_child.h"
#include "tests/support/leak_check.h"

namespace troupe {
namespace {

using ::testing::HasSubstr;
using ::testing::MatchesRegex;

class SmallExamplesTest : public LeakCheckedTest {
 protected:
  static Command Example(const std::string& name) {
    Command command;
    command.argv = {absl::StrCat(getenv("TEST_SRCDIR"), "/",
                                 getenv("TEST_WORKSPACE"), "/examples/", name)};
    command.stdout_to = command.stderr_to = Stdio::Pipe();
    return command;
  }
};

TEST_F(SmallExamplesTest, HelloChildTellsTheWholeLifeOfAChild) {
  RanChild ran = RunToEnd(Example("hello_child"));
  ASSERT_TRUE(ran.spawned.ok()) << ran.spawned;
  EXPECT_EQ(ran.status, ExitStatus::Exited(0));
  EXPECT_EQ(ran.err, "");
  EXPECT_THAT(ran.out, MatchesRegex("started, pid [0-9]+\n(.|\n)*"));
  for (const char* part : {"hello\n", "from a child\n", "stdout closed\n",
                           "ended: exit code 3\n"}) {
    EXPECT_THAT(ran.out, HasSubstr(part));
  }
  EXPECT_THAT(ran.out, ::testing::EndsWith("everything is drained\n"));
}

TEST_F(SmallExamplesTest, FilterThroughSortPrintsItsWordsInOrder) {
  RanChild ran = RunToEnd(Example("filter_through_sort"));
  ASSERT_TRUE(ran.spawned.ok()) << ran.spawned;
  EXPECT_EQ(ran.status, ExitStatus::Exited(0));
  EXPECT_EQ(ran.err, "");
  EXPECT_EQ(ran.out, "actor\nchild\nsignal\ntroupe\nsort: exit code 0\n");
}

TEST_F(SmallExamplesTest, StopOnSigtermStopsItsChildAndEnds) {
  auto child = Spawn(Example("stop_on_sigterm"));
  ASSERT_TRUE(child.ok()) << child.status();
  std::string first = ReadBytes(child->stdout_pipe.get(), 1);  // it is up
  ASSERT_EQ(first, "w");
  ASSERT_TRUE(SignalProcess(child->pidfd.get(), SIGTERM).ok());
  std::string out = first + ReadToEnd(child->stdout_pipe.get());
  EXPECT_EQ(EndOf(&*child), ExitStatus::Exited(0));
  EXPECT_THAT(out, MatchesRegex("we are [0-9]+, the child is [0-9]+\n"
                                "SIGTERM from pid [0-9]+\n"
                                "the child ended: killed by SIGTERM\n"));
}

}  // namespace
}  // namespace troupe
