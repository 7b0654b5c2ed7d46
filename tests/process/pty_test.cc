// Stdio::Pty and Stdio::SocketPair: what the child has, and what our end does.
// Row A24, rows 19 and 31 of the peers' table, asks 23 and 24 of the peers.
#include "process/pty.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <string>

#include "gtest/gtest.h"
#include "io/os_error.h"
#include "process/spawn.h"
#include "tests/process/ran_child.h"
#include "tests/support/child_program.h"
#include "tests/support/leak_check.h"

namespace troupe {
namespace {

class PtyTest : public LeakCheckedTest {
 protected:
  static Command OnTerminal(const char* program, TerminalSetup setup = {}) {
    Command command = {.argv = {ChildProgram(program)}};
    UseTerminal(&command, setup);
    return command;
  }

  // What our end gives up to and with the next "\n".
  static std::string Line(const SpawnedChild& child) {
    std::string line;
    while (line.empty() || line.back() != '\n') {
      std::string next = ReadBytes(child.stdout_pipe.get(), 1);
      if (next.empty()) break;
      line += next;
    }
    return line;
  }

  static void Type(const SpawnedChild& child, const std::string& text) {
    ASSERT_EQ(write(child.stdin_pipe.get(), text.data(), text.size()),
              static_cast<ssize_t>(text.size()));
  }
};

TEST_F(PtyTest, GivesTheChildATerminalOfItsSizeThatItLeads) {
  auto child = Spawn(OnTerminal("show_terminal", {.rows = 50, .columns = 132}));
  ASSERT_TRUE(child.ok()) << child.status();
  EXPECT_EQ(Line(*child), "terminal 111 leads\r\n");
  EXPECT_EQ(Line(*child), "size 50x132\r\n");
  EXPECT_FALSE(child->stderr_pipe.valid()) << "one reader";
  Type(*child, "quit\n");
  EXPECT_EQ(Line(*child), "quit\r\n") << "the echo";
  EXPECT_EQ(EndOf(&*child), ExitStatus::Exited(0));
}

TEST_F(PtyTest, MarksEachOfOurEndsCloseOnExecAndNonBlocking) {
  auto child = Spawn(OnTerminal("show_terminal"));
  ASSERT_TRUE(child.ok()) << child.status();
  for (const OwnedFd* end :
       {&child->stdin_pipe, &child->stdout_pipe, &child->terminal}) {
    EXPECT_GT(end->get(), 2);
    EXPECT_EQ(fcntl(end->get(), F_GETFD), FD_CLOEXEC);
    EXPECT_TRUE(fcntl(end->get(), F_GETFL) & O_NONBLOCK);
  }
  Type(*child, "\x04");
  EXPECT_EQ(EndOf(&*child), ExitStatus::Exited(0));
}

// Ask 24: a new size, and the signal for it.
TEST_F(PtyTest, TellsTheChildOfANewSize) {
  auto child = Spawn(OnTerminal("show_terminal"));
  ASSERT_TRUE(child.ok()) << child.status();
  Line(*child);
  EXPECT_EQ(Line(*child), "size 24x80\r\n");
  EXPECT_TRUE(ResizeTerminal(child->terminal.get(), 33, 101).ok());
  EXPECT_EQ(Line(*child), "size 33x101\r\n");
  Type(*child, "\x04");
  EXPECT_EQ(EndOf(&*child), ExitStatus::Exited(0));
}

// Row A24: what is left is read, then EIO.
TEST_F(PtyTest, ReadsAsEioWhenTheChildHasEnded) {
  auto child = Spawn(OnTerminal("write_both"));
  ASSERT_TRUE(child.ok()) << child.status();
  EXPECT_EQ(EndOf(&*child), ExitStatus::Exited(0));
  EXPECT_EQ(ReadToEnd(child->stdout_pipe.get()), "outerr");
  char byte;
  EXPECT_EQ(read(child->stdout_pipe.get(), &byte, 1), -1);
  EXPECT_EQ(errno, EIO);
}

TEST_F(PtyTest, HangsUpWhenAllOfOurEndsAreClosed) {
  auto child = Spawn(OnTerminal("show_terminal"));
  ASSERT_TRUE(child.ok()) << child.status();
  Line(*child);
  child->stdout_pipe.Close();
  child->terminal.Close();
  EXPECT_EQ(EndOf(&*child), ExitStatus::Killed(SIGHUP));
}

TEST_F(PtyTest, SendsTheSignalOfAKey) {
  auto child = Spawn(OnTerminal("show_terminal"));
  ASSERT_TRUE(child.ok()) << child.status();
  Line(*child);
  Type(*child, "\x03");
  EXPECT_EQ(EndOf(&*child), ExitStatus::Killed(SIGINT));
}

TEST_F(PtyTest, EchoesNothingWhenAsked) {
  auto child = Spawn(OnTerminal("show_terminal", {.echo = false}));
  ASSERT_TRUE(child.ok()) << child.status();
  Line(*child);
  Line(*child);
  Type(*child, "once\n");
  EXPECT_EQ(Line(*child), "once\r\n");
  Type(*child, "quit\n");
  EXPECT_EQ(EndOf(&*child), ExitStatus::Exited(0));
  EXPECT_EQ(ReadToEnd(child->stdout_pipe.get()), "");
}

TEST_F(PtyTest, PassesRawBytesAsTheyAre) {
  auto child = Spawn(OnTerminal("show_terminal", {.raw = true}));
  ASSERT_TRUE(child.ok()) << child.status();
  EXPECT_EQ(Line(*child), "terminal 111 leads\n");
  Line(*child);
  Type(*child, "\x03\x04\n");
  EXPECT_EQ(Line(*child), "\x03\x04\n");
  Type(*child, "quit");
  EXPECT_EQ(EndOf(&*child), ExitStatus::Exited(0));
}

// For programs that write lines at once only to a terminal.
TEST_F(PtyTest, MayBeStdoutAlone) {
  Command command = {.argv = {ChildProgram("show_terminal")},
                     .stdin_from = Stdio::Null(),
                     .stdout_to = Stdio::Pty(),
                     .stderr_to = Stdio::Null()};
  auto child = Spawn(command);
  ASSERT_TRUE(child.ok()) << child.status();
  EXPECT_FALSE(child->stdin_pipe.valid());
  EXPECT_EQ(EndOf(&*child), ExitStatus::Exited(0));
  EXPECT_EQ(ReadToEnd(child->stdout_pipe.get()),
            "terminal 010\r\nsize 24x80\r\n");
}

// The session's terminal is the pty, wherever it is.
TEST_F(PtyTest, BecomesTheTerminalOfTheSessionWithoutStdin) {
  Command command = OnTerminal("show_terminal");
  command.stdin_from = Stdio::Null();
  auto child = Spawn(command);
  ASSERT_TRUE(child.ok()) << child.status();
  EXPECT_EQ(Line(*child), "terminal 011 leads\r\n");
  EXPECT_EQ(EndOf(&*child), ExitStatus::Exited(0));
}

TEST_F(PtyTest, ReadsStderrWhenThatIsTheOnlyOutputOnIt) {
  Command command = {.argv = {ChildProgram("write_both")},
                     .stdin_from = Stdio::Null(),
                     .stdout_to = Stdio::Pipe(),
                     .stderr_to = Stdio::Pty()};
  RanChild ran = RunToEnd(command);
  EXPECT_EQ(ran.out, "out");
  EXPECT_EQ(ran.err, "err");
}

TEST_F(PtyTest, SaysThatThereAreNoDescriptorsLeft) {
  OwnedFd next(dup(0));
  const rlim_t free = next.get();
  next.Close();
  rlimit before;
  getrlimit(RLIMIT_NOFILE, &before);
  for (rlim_t extra = 0; extra < 4; ++extra) {
    rlimit low = {free + extra, before.rlim_max};
    setrlimit(RLIMIT_NOFILE, &low);
    auto child = Spawn(OnTerminal("show_terminal"));
    setrlimit(RLIMIT_NOFILE, &before);
    ASSERT_FALSE(child.ok());
    EXPECT_EQ(OsFailureOf(child.status())->error_number, EMFILE)
        << child.status();
  }
}

// Nothing is left of it, and nobody got a terminal.
TEST_F(PtyTest, LeavesNothingWhenTheSpawnFails) {
  for (int i = 0; i < 100; ++i) {
    Command command = OnTerminal("show_terminal");
    command.argv = {"/no/such"};
    EXPECT_TRUE(absl::IsNotFound(Spawn(command).status()));
  }
  EXPECT_LT(open("/dev/tty", O_RDWR | O_CLOEXEC), 0);
}

// Row 31 of the peers: the child may write to its stdin.
TEST_F(PtyTest, ASocketPairGoesBothWays) {
  auto child = Spawn({.argv = {"/bin/sh", "-c", "read line; echo $line >&0"},
                      .stdin_from = Stdio::SocketPair(),
                      .stdout_to = Stdio::SocketPair()});
  ASSERT_TRUE(child.ok()) << child.status();
  for (const OwnedFd* end : {&child->stdin_pipe, &child->stdout_pipe}) {
    EXPECT_EQ(fcntl(end->get(), F_GETFD), FD_CLOEXEC);
    EXPECT_TRUE(fcntl(end->get(), F_GETFL) & O_NONBLOCK);
  }
  Type(*child, "back\n");
  EXPECT_EQ(ReadBytes(child->stdin_pipe.get(), 5), "back\n");
  EXPECT_EQ(ReadToEnd(child->stdout_pipe.get()), "");
  EXPECT_EQ(EndOf(&*child), ExitStatus::Exited(0));
}

// Row P8 for whoever asks for asyncio's socket: blocking in the child, and not
// to be opened again.
TEST_F(PtyTest, ASocketPairIsBlockingInTheChild) {
  EXPECT_EQ(RunToEnd({.argv = {ChildProgram("print_fds")},
                      .stdin_from = Stdio::SocketPair(),
                      .stdout_to = Stdio::SocketPair(),
                      .stderr_to = Stdio::SocketPair()})
                .out,
            "0 blocking\n1 blocking\n2 blocking\n");
  auto child = Spawn({.argv = {"/bin/cat", "/dev/stdin"},
                      .stdin_from = Stdio::SocketPair(),
                      .stderr_to = Stdio::Null()});
  ASSERT_TRUE(child.ok()) << child.status();
  EXPECT_EQ(EndOf(&*child), ExitStatus::Exited(1));
}

// Row V23: a failed spawn leaves none of the two sockets.
TEST_F(PtyTest, ASocketPairGoesWithASpawnThatFails) {
  for (int i = 0; i < 100; ++i) {
    EXPECT_FALSE(Spawn({.argv = {"/no/such"},
                        .stdin_from = Stdio::SocketPair(),
                        .stdout_to = Stdio::SocketPair()})
                     .ok());
  }
}

}  // namespace
}  // namespace troupe
