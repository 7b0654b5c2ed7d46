// examples/parallel.cc, as a program.
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "process/process_table.h"
#include "process/reap.h"
#include "process/spawn.h"
#include "tests/process/ran_child.h"
#include "tests/support/descriptors.h"
#include "tests/support/leak_check.h"
#include "tests/support/scratch_folder.h"

namespace troupe {
namespace {

using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::IsSupersetOf;

class ParallelTest : public LeakCheckedTest {
 protected:
  static Command Parallel(const std::string& at_once) {
    Command command;
    command.argv = {
        absl::StrCat(getenv("TEST_SRCDIR"), "/", getenv("TEST_WORKSPACE"),
                     "/examples/parallel"),
        "-j", at_once};
    command.stdin_from = Stdio::Pipe();
    command.stdout_to = command.stderr_to = Stdio::Pipe();
    return command;
  }

  // Jobs find the folder of the test in $D, and a FIFO in $F.
  static RanChild Run(Command command, const std::string& jobs,
                      const ScratchFolder& folder) {
    const std::string fifo = folder.PathOf("fifo");
    mkfifo(fifo.c_str(), 0600);
    command.environment.set = {{"D", folder.path()}, {"F", fifo}};
    RanChild ran;
    auto child = Spawn(command);
    ran.spawned = child.status();
    if (!child.ok()) return ran;
    WriteFully(child->stdin_pipe, jobs);
    child->stdin_pipe.Close();
    ran.out = ReadToEnd(child->stdout_pipe.get());
    ran.err = ReadToEnd(child->stderr_pipe.get());
    ran.status = EndOf(&*child);
    return ran;
  }

  static std::string Repeated(const std::string& job, int count) {
    std::string jobs;
    for (int i = 0; i < count; ++i) absl::StrAppend(&jobs, job, "\n");
    return jobs;
  }

  ScratchFolder folder_;
};

// The first one waits in the middle of its output for the second.
TEST_F(ParallelTest, RunsJobsAtOnceAndKeepsTheOutputOfEachTogether) {
  const RanChild ran = Run(Parallel("2"),
                           "echo a1; read x < $F; echo a2\n"
                           "echo b1; echo > $F; echo b2\n",
                           folder_);
  EXPECT_EQ(ran.status, ExitStatus::Exited(0));
  EXPECT_THAT(ran.out, HasSubstr("a1\na2\n"));
  EXPECT_THAT(ran.out, HasSubstr("b1\nb2\n"));
  EXPECT_EQ(ran.err, "");
}

// Each takes one of two places; a third one at once would find none.
TEST_F(ParallelTest, RunsNoMoreThanItIsTold) {
  const std::string job =
      "p=$D/1; mkdir $p 2>&- || { p=$D/2; mkdir $p; } && rmdir $p";
  const RanChild ran = Run(Parallel("2"), Repeated(job, 60), folder_);
  EXPECT_EQ(ran.status, ExitStatus::Exited(0)) << ran.err;
}

TEST_F(ParallelTest, ListsWhatFailedAndCountsItInTheExitCode) {
  const RanChild ran = Run(Parallel("1"),
                           "exit 3\necho fine\n\nkill -TERM $$\n"
                           "echo wrong >&2; exit 1\n",
                           folder_);
  EXPECT_EQ(ran.status, ExitStatus::Exited(3));
  EXPECT_EQ(ran.out, "fine\n");
  EXPECT_EQ(ran.err,
            "wrong\nexit code 3: exit 3\nkilled by SIGTERM: kill -TERM $$\n"
            "exit code 1: echo wrong >&2; exit 1\n");
}

TEST_F(ParallelTest, CountsNoMoreThan101) {
  const RanChild ran = Run(Parallel("8"), Repeated("exit 1", 130), folder_);
  EXPECT_EQ(ran.status, ExitStatus::Exited(101));
}

TEST_F(ParallelTest, LosesNoOutput) {
  const RanChild ran = Run(Parallel("4"), Repeated("seq 1 50000", 6), folder_);
  EXPECT_EQ(ran.status, ExitStatus::Exited(0));
  std::string expected;
  for (int i = 1; i <= 50000; ++i) absl::StrAppend(&expected, i, "\n");
  EXPECT_TRUE(ran.out == Repeated(expected.substr(0, expected.size() - 1), 6))
      << ran.out.size() << " bytes";
}

TEST_F(ParallelTest, HasNothingToDoWithoutJobs) {
  EXPECT_EQ(Run(Parallel("2"), "", folder_).status, ExitStatus::Exited(0));
}

TEST_F(ParallelTest, RefusesWrongArguments) {
  for (const char* number : {"0", "-1", "many"}) {
    const RanChild ran = Run(Parallel(number), "echo a\n", folder_);
    EXPECT_EQ(ran.status, ExitStatus::Exited(255)) << number;
    EXPECT_THAT(ran.err, HasSubstr("usage: parallel -j N"));
    EXPECT_EQ(ran.out, "");
  }
}

TEST_F(ParallelTest, ShowsABarOnATerminal) {
  Command command = Parallel("1");
  command.stderr_to = Stdio::Pty();
  const RanChild ran = Run(command, "echo a\nexit 1\n", folder_);
  EXPECT_EQ(ran.status, ExitStatus::Exited(1));
  EXPECT_EQ(ran.out, "a\n");
  EXPECT_THAT(ran.err, HasSubstr("\r1/2 ####################\r"));
  EXPECT_THAT(ran.err, EndsWith(absl::StrCat("\r2/2 ", std::string(40, '#'),
                                             "\r\nexit code 1: exit 1\r\n")));
}

// Killed it cannot stop its jobs; their signal is sent before it is reaped.
TEST_F(ParallelTest, JobsEndWithIt) {
  Command command = Parallel("1");
  const std::string gate = folder_.PathOf("gate");
  const std::string notes = folder_.PathOf("notes");
  mkfifo(gate.c_str(), 0600);
  mkfifo(notes.c_str(), 0600);
  command.environment.set = {{"G", gate}, {"N", notes}};
  auto child = Spawn(command);
  ASSERT_TRUE(child.ok()) << child.status();
  WriteFully(child->stdin_pipe,
             "exec 3> $N; echo up >&3; read x < $G; echo late >&3\n");
  child->stdin_pipe.Close();
  std::ifstream read_notes(notes);
  std::string note;
  std::getline(read_notes, note);
  EXPECT_EQ(note, "up");
  ASSERT_TRUE(SignalProcess(child->pidfd.get(), SIGKILL).ok());
  EXPECT_EQ(EndOf(&*child), ExitStatus::Killed(SIGKILL));
  std::fstream go(gate);  // both ends, so that it is there to be read
  go << "go" << std::endl;
  EXPECT_FALSE(std::getline(read_notes, note)) << note;
}

// The first two have started a process of their own; that the third one has
// ended says that the program knows them as started. The last one never runs.
TEST_F(ParallelTest, CtrlCStopsAllJobsWithWhatTheyStarted) {
  Command command = Parallel("3");
  const std::string gate = folder_.PathOf("gate");
  const std::string pids = folder_.PathOf("pids");
  mkfifo(gate.c_str(), 0600);
  mkfifo(pids.c_str(), 0600);
  std::fstream read_pids(pids);  // both ends, so that no writer is alone
  command.environment.set = {{"G", gate}, {"P", pids}};
  auto child = Spawn(command);
  ASSERT_TRUE(child.ok()) << child.status();
  const std::string sleeps = "sleep 1000 & echo $! > $P; wait";
  WriteFully(child->stdin_pipe,
             absl::StrCat(sleeps, "\n", sleeps, "\nread x < $G; echo up\n",
                          "exec sleep 1000\necho never\n"));
  child->stdin_pipe.Close();
  pid_t sleepers[2] = {};
  read_pids >> sleepers[0] >> sleepers[1];
  std::ofstream(gate) << "go\n";
  ASSERT_EQ(ReadBytes(child->stdout_pipe.get(), 3), "up\n");
  ASSERT_TRUE(SignalProcess(child->pidfd.get(), SIGINT).ok());
  EXPECT_EQ(ReadToEnd(child->stdout_pipe.get()), "");
  const std::string err = ReadToEnd(child->stderr_pipe.get());
  EXPECT_EQ(EndOf(&*child), ExitStatus::Exited(130));
  EXPECT_THAT(std::vector<std::string>(absl::StrSplit(err, '\n')),
              IsSupersetOf({"killed by SIGTERM: " + sleeps,
                            "killed by SIGTERM: " + sleeps}));
  EXPECT_THAT(err, HasSubstr("echo never\n"));
  for (pid_t sleeper : sleepers) {
    auto seen = ReadProcess(sleeper);
    EXPECT_FALSE(seen.has_value() && seen->IsAlive()) << sleeper;
  }
}

}  // namespace
}  // namespace troupe
