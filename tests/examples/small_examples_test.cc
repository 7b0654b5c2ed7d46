// The examples that the README names in reading order do what their first
// lines say.
#include <signal.h>
#include <unistd.h>

#include <cstdlib>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "process/reap.h"
#include "process/spawn.h"
#include "tests/process/ran_child.h"
#include "tests/support/descriptors.h"
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

  static std::vector<std::string> ReadLines(int fd, size_t count) {
    std::vector<std::string> lines(count);
    for (std::string& line : lines) {
      std::string next = ReadBytes(fd, 1);
      for (; next != "\n" && next != ""; next = ReadBytes(fd, 1)) line += next;
    }
    return lines;
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

TEST_F(SmallExamplesTest, PipelinePrintsTwoLinesAndHowEachCommandEnded) {
  RanChild ran = RunToEnd(Example("pipeline"));
  ASSERT_TRUE(ran.spawned.ok()) << ran.spawned;
  EXPECT_EQ(ran.status, ExitStatus::Exited(0));
  EXPECT_EQ(ran.err, "");
  EXPECT_EQ(ran.out,
            "TROUPE\nTROUPE\nyes: killed by SIGPIPE\nhead: exit code 0\n"
            "tr: exit code 0\nnothing failed\n");
}

TEST_F(SmallExamplesTest, PtySessionShowsTheTerminalAndItsNewSize) {
  RanChild ran = RunToEnd(Example("pty_session"));
  ASSERT_TRUE(ran.spawned.ok()) << ran.spawned;
  EXPECT_EQ(ran.status, ExitStatus::Exited(0));
  EXPECT_EQ(ran.out, "50 132\r\ngo on\r\n24 80\r\n");
  EXPECT_EQ(ran.err, "ended: exit code 3\n");
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

TEST_F(SmallExamplesTest, WatchersShowsTheFiveSideBySide) {
  RanChild ran = RunToEnd(Example("watchers"));
  ASSERT_TRUE(ran.spawned.ok()) << ran.spawned;
  EXPECT_EQ(ran.status, ExitStatus::Exited(0));
  EXPECT_EQ(ran.err, "");
  std::string expected;
  for (const char* kind : {"pidfd      ", "safe       ", "fast       ",
                           "multi-loop ", "threaded   "}) {
    const bool caught = kind[0] == 's' || kind[0] == 'f' || kind[0] == 'm';
    absl::StrAppend(&expected, kind,
                    " exit code 3, killed by SIGTERM  SIGCHLD ",
                    caught ? "caught" : "left  ", " +[0-9]+ us\n");
  }
  EXPECT_THAT(ran.out, MatchesRegex(expected));
}

TEST_F(SmallExamplesTest, TimersRunsInTheOrderItExplains) {
  RanChild ran = RunToEnd(Example("timers"));
  ASSERT_TRUE(ran.spawned.ok()) << ran.spawned;
  EXPECT_EQ(ran.status, ExitStatus::Exited(0));
  EXPECT_EQ(ran.err, "");
  EXPECT_THAT(ran.out,
              MatchesRegex("soon: first\nsoon: second\n"
                           "soon: from the first\n"
                           "5 ms\ntick 1\n15 ms\ntick 2\n"
                           "an actor got the message for the loop\n"
                           "9 callbacks, the latest timer [0-9.a-z]+ late\n"));
}

TEST_F(SmallExamplesTest, SignalsTellsEverySubscriberOfEachSignal) {
  auto child = Spawn(Example("signals"));
  ASSERT_TRUE(child.ok()) << child.status();
  const int out = child->stdout_pipe.get();
  const std::string usr1 = absl::StrCat(": SIGUSR1 from pid ", getpid());
  auto expect_all = [&](const std::vector<std::string>& lines) {
    EXPECT_THAT(ReadLines(out, lines.size()),
                ::testing::UnorderedElementsAreArray(lines));
  };
  expect_all({"one is ready", "two is ready",
              absl::StrCat("kill -USR1 ", child->pid, "; kill ", child->pid)});
  for (std::string run : {"1", "2"}) {
    ASSERT_TRUE(SignalProcess(child->pidfd.get(), SIGUSR1).ok());
    expect_all({absl::StrCat("one", usr1, ", runs: 1"),
                absl::StrCat("two", usr1, ", runs: 1"),
                absl::StrCat("the loop: SIGUSR1, run ", run)});
  }
  ASSERT_TRUE(SignalProcess(child->pidfd.get(), SIGTERM).ok());
  expect_all({absl::StrCat("one: SIGTERM from pid ", getpid(), ", runs: 1"),
              absl::StrCat("two: SIGTERM from pid ", getpid(), ", runs: 1")});
  EXPECT_EQ(ReadToEnd(out), "");
  EXPECT_EQ(EndOf(&*child), ExitStatus::Exited(0));
}

TEST_F(SmallExamplesTest, HostInPollServesItsInputAndTheLoop) {
  Command command = Example("host_in_poll");
  command.stdin_from = Stdio::Pipe();
  auto child = Spawn(command);
  ASSERT_TRUE(child.ok()) << child.status();
  WriteFully(child->stdin_pipe, "a line\n");
  const std::string out = ReadToEnd(child->stdout_pipe.get());
  EXPECT_EQ(EndOf(&*child), ExitStatus::Exited(0));
  EXPECT_THAT(out, HasSubstr("host: a line\n"));
  EXPECT_THAT(out, HasSubstr("loop: called from another thread\n"));
  EXPECT_THAT(out, MatchesRegex("(.|\n)*loop: tick 1\n(.|\n)*loop: tick 2\n"
                                "(.|\n)*loop: tick 3\n(.|\n)*"));
}

}  // namespace
}  // namespace troupe
