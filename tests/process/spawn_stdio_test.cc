// The child's stdin, stdout and stderr: core rule 5, "files for stdio".
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdio>
#include <fstream>
#include <string>
#include <thread>
#include <vector>

#include "gtest/gtest.h"
#include "io/os_error.h"
#include "io/owned_fd.h"
#include "process/command.h"
#include "process/exit_status.h"
#include "process/spawn.h"
#include "tests/process/ran_child.h"
#include "tests/process/spawn_files.h"
#include "tests/support/child_program.h"

namespace troupe {
namespace {

class SpawnStdioTest : public SpawnFilesTest {
 protected:
  // Meanwhile our 1 leads to the file "one" and our 2 to "two".
  RanChild RunWithOursInFiles(const Command& command) {
    OwnedFd kept[2] = {OwnedFd(fcntl(1, F_DUPFD_CLOEXEC, 3)),
                       OwnedFd(fcntl(2, F_DUPFD_CLOEXEC, 3))};
    fflush(stdout);
    dup2(OpenToWrite(Path("one")).get(), 1);
    dup2(OpenToWrite(Path("two")).get(), 2);
    RanChild ran = RunToEnd(command);
    dup2(kept[0].get(), 1);
    dup2(kept[1].get(), 2);
    return ran;
  }
};

TEST_F(SpawnStdioTest, CarriesBytesThroughPipes) {
  auto child = Spawn({.argv = {ChildProgram("copy_input")},
                      .stdin_from = Stdio::Pipe(),
                      .stdout_to = Stdio::Pipe()});
  ASSERT_TRUE(child.ok()) << child.status();
  ASSERT_EQ(write(child->stdin_pipe.get(), "hello", 5), 5);
  EXPECT_EQ(ReadBytes(child->stdout_pipe.get(), 5), "hello");
  EXPECT_EQ(EndOf(&*child), ExitStatus::Exited(0));
}

// Rows P8 and V22: a pipe, not asyncio's socket pair, so /dev/stdin can be
// opened.
TEST_F(SpawnStdioTest, LetsTheChildReopenItsStdin) {
  auto child = Spawn({.argv = {"/bin/cat", "/dev/stdin"},
                      .stdin_from = Stdio::Pipe(),
                      .stdout_to = Stdio::Pipe()});
  ASSERT_TRUE(child.ok()) << child.status();
  ASSERT_EQ(write(child->stdin_pipe.get(), "again", 5), 5);
  child->stdin_pipe.Close();
  EXPECT_EQ(ReadToEnd(child->stdout_pipe.get()), "again");
  EXPECT_EQ(EndOf(&*child), ExitStatus::Exited(0));
}

TEST_F(SpawnStdioTest, GivesTheChildBlockingStdio) {
  std::ofstream(Path("in")) << "x";
  EXPECT_EQ(
      OutputOf({.argv = {ChildProgram("print_fds")},
                .stdin_from = Stdio::File(Path("in"), Stdio::FileMode::kRead),
                .stderr_to = Stdio::Merged()}),
      "0 blocking\n1 blocking\n2 blocking\n");
  EXPECT_EQ(OutputOf({.argv = {ChildProgram("print_fds")},
                      .stdin_from = Stdio::Pipe(),
                      .stderr_to = Stdio::Pipe()}),
            "0 blocking\n1 blocking\n2 blocking\n");
}

// The parent's 1 and 2 lead to two files here, and the child gets each as the
// other.
TEST_F(SpawnStdioTest, SwapStdoutAndStderr) {
  RanChild ran = RunWithOursInFiles({.argv = {ChildProgram("write_both")},
                                     .stdout_to = Stdio::Descriptor(2),
                                     .stderr_to = Stdio::Descriptor(1)});
  EXPECT_EQ(ran.status, ExitStatus::Exited(0)) << ran.spawned;
  EXPECT_EQ(Content(Path("one")), "err");
  EXPECT_EQ(Content(Path("two")), "out");
}

// Row P1: what asyncio.create_subprocess_exec does without being told.
TEST_F(SpawnStdioTest, InheritsTheStreamsByDefault) {
  RanChild ran = RunWithOursInFiles({.argv = {ChildProgram("write_both")}});
  EXPECT_EQ(ran.status, ExitStatus::Exited(0)) << ran.spawned;
  EXPECT_EQ(Content(Path("one")), "out");
  EXPECT_EQ(Content(Path("two")), "err");
}

// Row P7: if stdout is inherited, into that.
TEST_F(SpawnStdioTest, MergesStderrIntoAnInheritedStdout) {
  RanChild ran = RunWithOursInFiles(
      {.argv = {ChildProgram("write_both")}, .stderr_to = Stdio::Merged()});
  EXPECT_EQ(ran.status, ExitStatus::Exited(0)) << ran.spawned;
  EXPECT_EQ(Content(Path("one")), "outerr");
  EXPECT_EQ(Content(Path("two")), "");
}

// A sibling spawned at the same moment may not keep our pipe's end, or its
// reader would wait for the sibling. Each child here ends only at the end of
// its stdin.
TEST_F(SpawnStdioTest, SpawnsOnManyThreadsWithoutSharingPipes) {
  std::atomic<int> good{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      for (int round = 0; round < 50; ++round) {
        auto child = Spawn({.argv = {ChildProgram("copy_input")},
                            .stdin_from = Stdio::Pipe(),
                            .stdout_to = Stdio::Pipe()});
        if (!child.ok()) continue;
        child->stdin_pipe.Close();
        if (ReadToEnd(child->stdout_pipe.get()).empty()) ++good;
        EndOf(&*child);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(good, 200);
}

// Row P7.
TEST_F(SpawnStdioTest, MergesStderrIntoStdout) {
  EXPECT_EQ(OutputOf({.argv = {ChildProgram("write_both")},
                      .stderr_to = Stdio::Merged()}),
            "outerr");
}

// The parent opens it, so the parent's umask counts.
TEST_F(SpawnStdioTest, MakesAFileWithThePermissionsGiven) {
  mode_t ours = umask(027);
  RanChild ran = RunToEnd(
      {.argv = {ChildProgram("write_both")},
       .stdout_to = Stdio::File(Path("made"), Stdio::FileMode::kAppend, 0666),
       .stderr_to = Stdio::Null(),
       .umask = 0});
  umask(ours);
  EXPECT_EQ(ran.status, ExitStatus::Exited(0)) << ran.spawned;
  struct stat made;
  ASSERT_EQ(stat(Path("made").c_str(), &made), 0);
  EXPECT_EQ(made.st_mode & 0777, 0640u);
}

TEST_F(SpawnStdioTest, TruncatesAndAppends) {
  std::ofstream(Path("log")) << "longer";
  Command command = {
      .argv = {ChildProgram("write_both")},
      .stdout_to = Stdio::File(Path("log"), Stdio::FileMode::kTruncate),
      .stderr_to = Stdio::Null()};
  EXPECT_EQ(RunToEnd(command).status, ExitStatus::Exited(0));
  EXPECT_EQ(Content(Path("log")), "out");
  command.stdout_to = Stdio::File(Path("log"), Stdio::FileMode::kAppend);
  EXPECT_EQ(RunToEnd(command).status, ExitStatus::Exited(0));
  EXPECT_EQ(Content(Path("log")), "outout");
}

// What can fail before a file is emptied is asked for first.
TEST_F(SpawnStdioTest, EmptiesNoFileForASpawnThatCannotBe) {
  std::ofstream(Path("log")) << "kept";
  Command command = {
      .argv = {ChildProgram("write_both")},
      .stdout_to = Stdio::File(Path("log"), Stdio::FileMode::kTruncate)};
  command.cgroup = Path("no_such_cgroup");
  EXPECT_TRUE(absl::IsNotFound(Spawn(command).status()));
  EXPECT_EQ(Content(Path("log")), "kept");
}

TEST_F(SpawnStdioTest, ReportsAFileThatIsNotThere) {
  auto status =
      Spawn({.argv = {"/bin/true"},
             .stdin_from = Stdio::File("/nowhere/x", Stdio::FileMode::kRead)})
          .status();
  EXPECT_EQ(status.message(), "open \"/nowhere/x\": No such file or directory");
}

// Core rule 5: opening a FIFO in the child blocked every spawn.
TEST_F(SpawnStdioTest, OpensAFifoWithoutBlocking) {
  ASSERT_EQ(mkfifo(Path("fifo").c_str(), 0600), 0);
  Command command = {
      .argv = {ChildProgram("print_fds")},
      .stdin_from = Stdio::File(Path("fifo"), Stdio::FileMode::kRead),
      .stderr_to = Stdio::Null()};
  EXPECT_EQ(OutputOf(command), "0 blocking\n1 blocking\n2 blocking\n");
  command.stdin_from = Stdio::Null();
  command.stdout_to = Stdio::File(Path("fifo"), Stdio::FileMode::kAppend);
  EXPECT_EQ(OsFailureOf(Spawn(command).status())->error_number, ENXIO);
}

// One parent whose 0, 1 and 2 are closed, as daemons are at times: what the
// spawner opens may not land there and be overwritten.
TEST_F(SpawnStdioTest, WorksWithStdioClosedInTheParent) {
  OwnedFd kept[3];
  for (int fd = 0; fd < 3; ++fd) {
    kept[fd] = OwnedFd(fcntl(fd, F_DUPFD_CLOEXEC, 3));
  }
  fflush(stdout);
  for (int fd = 0; fd < 3; ++fd) close(fd);
  auto child = Spawn({.argv = {ChildProgram("copy_input")},
                      .stdin_from = Stdio::Pipe(),
                      .stdout_to = Stdio::Pipe(),
                      .stderr_to = Stdio::Null()});
  std::string echoed;
  bool above = false;
  if (child.ok()) {
    above = child->pidfd.get() > 2 && child->stdin_pipe.get() > 2 &&
            child->stdout_pipe.get() > 2;
    if (write(child->stdin_pipe.get(), "ok", 2) == 2) {
      echoed = ReadBytes(child->stdout_pipe.get(), 2);
    }
  }
  for (int fd = 0; fd < 3; ++fd) dup2(kept[fd].get(), fd);
  ASSERT_TRUE(child.ok()) << child.status();
  EXPECT_TRUE(above);
  EXPECT_EQ(echoed, "ok");
  EXPECT_EQ(EndOf(&*child), ExitStatus::Exited(0));
}

TEST_F(SpawnStdioTest, LeavesAnInheritedDescriptorClosedThatIsClosedHere) {
  OwnedFd kept(fcntl(0, F_DUPFD_CLOEXEC, 3));
  close(0);
  std::string out = OutputOf(
      {.argv = {ChildProgram("print_fds")}, .stderr_to = Stdio::Null()});
  dup2(kept.get(), 0);
  EXPECT_EQ(out, "1 blocking\n2 blocking\n");
}

}  // namespace
}  // namespace troupe
