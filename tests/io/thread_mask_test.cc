#include "io/thread_mask.h"

#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <ctime>
#include <optional>
#include <thread>

#include "tests/support/leak_check.h"

namespace troupe {
namespace {

sigset_t Mask() {
  sigset_t mask;
  pthread_sigmask(SIG_BLOCK, nullptr, &mask);
  return mask;
}

bool Blocked(int signo) {
  const sigset_t mask = Mask();
  return sigismember(&mask, signo) == 1;
}

bool Pending(int signo) {
  sigset_t pending;
  sigpending(&pending);
  return sigismember(&pending, signo) == 1;
}

void Take(int signo) {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, signo);
  const timespec now{};
  ASSERT_EQ(sigtimedwait(&set, nullptr, &now), signo);
}

// Rule 7, last line: nothing in the library ignores SIGPIPE.
void ExpectSigpipeIsDefault() {
  struct sigaction action;
  sigaction(SIGPIPE, nullptr, &action);
  EXPECT_EQ(action.sa_handler, SIG_DFL);
}

// A pipe nobody reads.
class BrokenPipe {
 public:
  BrokenPipe() {
    int fds[2];
    EXPECT_EQ(pipe(fds), 0);
    close(fds[0]);
    write_end_ = fds[1];
  }
  ~BrokenPipe() { close(write_end_); }
  ssize_t Write() { return write(write_end_, "x", 1); }

 private:
  int write_end_;
};

class ThreadMaskTest : public LeakCheckedTest {
 protected:
  void Block(int signo) {
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, signo);
    pthread_sigmask(SIG_BLOCK, &set, nullptr);
  }
  ~ThreadMaskTest() override {
    pthread_sigmask(SIG_SETMASK, &before_, nullptr);
  }

 private:
  const sigset_t before_ = Mask();
};

TEST_F(ThreadMaskTest, AThreadStartedUnderTheBlockTakesNoSignal) {
  bool asked = false, child = false, pipe = false, last = false, fault = true;
  std::optional<BlockAllSignals> block(std::in_place);
  std::thread thread([&] {
    asked = Blocked(SIGTERM);
    child = Blocked(SIGCHLD);
    pipe = Blocked(SIGPIPE);
    last = Blocked(SIGRTMAX);
    fault = Blocked(SIGSEGV) || Blocked(SIGBUS) || Blocked(SIGFPE) ||
            Blocked(SIGILL) || Blocked(SIGTRAP) || Blocked(SIGSYS) ||
            Blocked(SIGABRT) || Blocked(SIGTTIN) || Blocked(SIGTTOU);
  });
  block.reset();
  thread.join();
  EXPECT_TRUE(asked && child && pipe && last);
  EXPECT_FALSE(fault);
}

TEST_F(ThreadMaskTest, GivesTheMaskBackAsItWas) {
  Block(SIGUSR1);
  { BlockAllSignals block; }
  { ScopedSigpipeBlock block; }
  EXPECT_TRUE(Blocked(SIGUSR1));
  EXPECT_FALSE(Blocked(SIGUSR2));
  EXPECT_FALSE(Blocked(SIGPIPE));
}

TEST_F(ThreadMaskTest, LeavesErrnoWhenNothingBroke) {
  errno = 77;
  { ScopedSigpipeBlock guard; }
  EXPECT_EQ(errno, 77);
}

TEST_F(ThreadMaskTest, ABrokenPipeIsOnlyAnErrorNumber) {
  BrokenPipe pipe;
  ssize_t written = 0;
  {
    ScopedSigpipeBlock guard;
    written = pipe.Write();
    ExpectSigpipeIsDefault();
  }
  EXPECT_EQ(errno, EPIPE);  // not the guard's own calls'
  EXPECT_EQ(written, -1);
  EXPECT_FALSE(Pending(SIGPIPE));
  EXPECT_FALSE(Blocked(SIGPIPE));
}

TEST_F(ThreadMaskTest, TakesItsOwnSigpipeFromACallerWhoBlocksIt) {
  Block(SIGPIPE);
  BrokenPipe pipe;
  {
    ScopedSigpipeBlock guard;
    pipe.Write();
  }
  EXPECT_FALSE(Pending(SIGPIPE));
  EXPECT_TRUE(Blocked(SIGPIPE));
}

TEST_F(ThreadMaskTest, LeavesASigpipeThatWasPendingBefore) {
  Block(SIGPIPE);
  BrokenPipe pipe;
  pipe.Write();
  {
    ScopedSigpipeBlock guard;
    pipe.Write();
  }
  EXPECT_TRUE(Pending(SIGPIPE));
  Take(SIGPIPE);
}

TEST_F(ThreadMaskTest, LeavesASigpipeThatAnotherProcessSends) {
  Block(SIGPIPE);
  {
    ScopedSigpipeBlock guard;
    const pid_t child = fork();
    if (child == 0) _exit(kill(getppid(), SIGPIPE));
    waitpid(child, nullptr, 0);
  }
  EXPECT_TRUE(Pending(SIGPIPE));
  Take(SIGPIPE);
}

}  // namespace
}  // namespace troupe
