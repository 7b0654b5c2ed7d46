// Rule 7 and rows S11, S22 for a program that called BlockSignals(): real-time
// signals in order, and all other signals as before.
#include "signals/block_signals.h"

#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <csignal>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "process/spawn.h"
#include "signals/signal_delivery.h"
#include "signals/signal_pipe.h"
#include "tests/process/ran_child.h"
#include "tests/support/child_program.h"
#include "tests/support/leak_check.h"

namespace troupe {
namespace {

constexpr int kPatienceMs = 20'000;

std::atomic<int> earlier_runs;
void Earlier(int) { ++earlier_runs; }

void SendValue(pid_t to, int number, int value) {
  sigval sent{};
  sent.sival_int = value;
  while (sigqueue(to, number, sent) != 0) {
    if (errno != EAGAIN) _exit(1);
    sched_yield();
  }
}

// Appends what comes until there are `count`, or gives up.
std::vector<SignalDelivery> Take(SignalPipe& pipe, std::size_t count) {
  std::vector<SignalDelivery> out;
  pollfd fd{pipe.fd(), POLLIN, 0};
  while (out.size() < count && poll(&fd, 1, kPatienceMs) == 1) pipe.Drain(out);
  return out;
}

sigset_t Only(int number) {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, number);
  return set;
}

// How a child ends or stops that runs `body` and, when it returns, waits to be
// ended by a signal.
template <class Body>
int StatusOfChild(Body body) {
  const pid_t child = fork();
  if (child == 0) {
    setpgid(0, 0);  // an orphaned group would not be stopped
    body();
    poll(nullptr, 0, kPatienceMs);
    _exit(99);
  }
  int status = -1;
  waitpid(child, &status, WUNTRACED);
  if (WIFSTOPPED(status)) {
    kill(child, SIGKILL);
    waitpid(child, nullptr, 0);
  }
  return status;
}

class BlockSignalsTest : public LeakCheckedTest {
 protected:
  BlockSignalsTest() {
    earlier_runs = 0;
    pipe_ = SignalPipe::Create().value();
    // Its thread is up: one that is beginning may hold a lock of the
    // sanitizer's, which a forked child would wait for.
    Catch(SIGRTMAX);
    kill(getpid(), SIGRTMAX);
    EXPECT_EQ(Take(*pipe_, 1).size(), 1u);
    EXPECT_TRUE(pipe_->Release(SIGRTMAX).ok());
  }
  ~BlockSignalsTest() override {
    pipe_.reset();
    signal(SIGUSR1, SIG_DFL);
  }
  void Catch(int number) { ASSERT_TRUE(pipe_->Catch(number).ok()) << number; }

  std::unique_ptr<SignalPipe> pipe_;
};

// Without BlockSignals() the handlers of several threads swap some.
TEST_F(BlockSignalsTest, RealTimeSignalsArriveInTheOrderOfSending) {
  constexpr int kSends = 20'000;
  Catch(SIGRTMIN);
  std::atomic<bool> stop{false};
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      while (!stop) sched_yield();
    });
  }
  const pid_t sender = fork();
  if (sender == 0) {
    for (int i = 0; i < kSends; ++i) SendValue(getppid(), SIGRTMIN, i);
    _exit(0);
  }
  const auto got = Take(*pipe_, kSends);
  stop = true;
  for (std::thread& thread : threads) thread.join();
  int status = -1;
  waitpid(sender, &status, 0);
  EXPECT_EQ(status, 0);
  ASSERT_EQ(got.size(), static_cast<std::size_t>(kSends));
  for (int i = 0; i < kSends; ++i) ASSERT_EQ(got[i].value.sival_int, i);
}

// signal(7): of those that wait together the lowest number comes first.
TEST_F(BlockSignalsTest, EachNumbersOrderIsItsOwn) {
  Catch(SIGUSR1);
  Catch(SIGRTMIN);
  Catch(SIGRTMIN + 1);
  for (int i = 0; i < 100; ++i) {
    SendValue(getpid(), SIGRTMIN + 1, i);
    SendValue(getpid(), SIGRTMIN, i);
  }
  int next[2] = {0, 0};
  for (const SignalDelivery& delivery : Take(*pipe_, 200)) {
    EXPECT_EQ(delivery.value.sival_int, next[delivery.number - SIGRTMIN]++);
  }
  EXPECT_EQ(next[0], 100);
  EXPECT_EQ(next[1], 100);
}

// Row S23.
TEST_F(BlockSignalsTest, ASignalThatNobodyCaughtEndsTheProgram) {
  const int status = StatusOfChild([&] {
    pipe_.reset();
    pipe_ = SignalPipe::Create().value();
    pipe_->Catch(SIGUSR1).IgnoreError();
    kill(getpid(), SIGTERM);
  });
  ASSERT_TRUE(WIFSIGNALED(status)) << status;
  EXPECT_EQ(WTERMSIG(status), SIGTERM);
}

TEST_F(BlockSignalsTest, ASignalThatNobodyCaughtStopsTheProgram) {
  const int status = StatusOfChild([&] {
    pipe_.reset();
    pipe_ = SignalPipe::Create().value();
    kill(getpid(), SIGTSTP);
  });
  ASSERT_TRUE(WIFSTOPPED(status)) << status;
  EXPECT_EQ(WSTOPSIG(status), SIGTSTP);
}

// S9: with the default back, as without BlockSignals().
TEST_F(BlockSignalsTest, AReleasedSignalDoesWhatItDidBefore) {
  const int status = StatusOfChild([&] {
    pipe_.reset();
    pipe_ = SignalPipe::Create().value();
    pipe_->Catch(SIGTERM).IgnoreError();
    kill(getpid(), SIGTERM);
    if (Take(*pipe_, 1).size() != 1) _exit(1);
    pipe_->Release(SIGTERM).IgnoreError();
    kill(getpid(), SIGTERM);
  });
  ASSERT_TRUE(WIFSIGNALED(status)) << status;
  EXPECT_EQ(WTERMSIG(status), SIGTERM);
}

TEST_F(BlockSignalsTest, TheProgramsOwnHandlersRun) {
  signal(SIGUSR1, &Earlier);
  kill(getpid(), SIGUSR1);
  for (int i = 0; earlier_runs == 0 && i < kPatienceMs; ++i)
    poll(nullptr, 0, 1);
  EXPECT_EQ(earlier_runs, 1);
}

TEST_F(BlockSignalsTest, AThreadThatUnblocksASignalTakesIt) {
  Catch(SIGUSR1);
  const sigset_t set = Only(SIGUSR1);
  pthread_sigmask(SIG_UNBLOCK, &set, nullptr);
  raise(SIGUSR1);
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
  std::vector<SignalDelivery> out;
  pipe_->Drain(out);
  ASSERT_EQ(out.size(), 1u);
  EXPECT_EQ(out[0].code, SI_TKILL);
}

TEST_F(BlockSignalsTest, AFaultSentByKillIsADelivery) {
  Catch(SIGSEGV);
  kill(getpid(), SIGSEGV);
  const auto got = Take(*pipe_, 1);
  ASSERT_EQ(got.size(), 1u);
  EXPECT_EQ(got[0].number, SIGSEGV);
}

// The fixture counts threads.
TEST_F(BlockSignalsTest, PipesInARowEachHaveATaker) {
  for (int i = 0; i < 50; ++i) {
    pipe_.reset();
    pipe_ = SignalPipe::Create().value();
    Catch(SIGRTMIN);
    SendValue(getpid(), SIGRTMIN, i);
    const auto got = Take(*pipe_, 1);
    ASSERT_EQ(got.size(), 1u);
    EXPECT_EQ(got[0].value.sival_int, i);
  }
}

// The taker itself is the one that waits.
TEST_F(BlockSignalsTest, DestroyedItLetsTheTakerGo) {
  pipe_.reset();
  signal(SIGRTMIN, SIG_IGN);
  pipe_ = SignalPipe::Create({.exact = 1, .limit = 1}).value();
  Catch(SIGRTMIN);
  for (int i = 0; i < 3; ++i) SendValue(getpid(), SIGRTMIN, i);
  pollfd fd{pipe_->fd(), POLLIN, 0};
  EXPECT_EQ(poll(&fd, 1, kPatienceMs), 1);
  pipe_.reset();
  signal(SIGRTMIN, SIG_DFL);
}

// Again, from a thread: only the first one counts.
TEST_F(BlockSignalsTest, MayBeCalledAgain) {
  std::thread([] { EXPECT_TRUE(BlockSignals().ok()); }).join();
}

// Row P5: what the program blocks is nothing to its children.
TEST_F(BlockSignalsTest, SpawnedChildrenStartWithNothingBlocked) {
  Catch(SIGUSR1);
  auto facts = Facts(OutputOf({.argv = {ChildProgram("print_signals")}}));
  EXPECT_EQ(std::stoull(facts["SigBlk"], nullptr, 16), 0u);
  const auto caught = std::stoull(facts["SigCgt"], nullptr, 16);
  EXPECT_EQ(caught >> (SIGUSR1 - 1) & 1, 0u);
}

// -- S22: a forked child, which has no taker ----------------------------------

class BlockedForkTest : public BlockSignalsTest {
 protected:
  BlockedForkTest() {
    signal(SIGUSR1, &Earlier);
    EXPECT_TRUE(pipe_->Catch(SIGUSR1).ok());
  }

  // The child's exit code; the parent must have seen nothing of it.
  template <class Body>
  int CodeOfChild(Body body) {
    const int status = StatusOfChild([&] { _exit(body()); });
    EXPECT_TRUE(WIFEXITED(status)) << status;
    std::vector<SignalDelivery> out;
    pipe_->Drain(out);
    EXPECT_TRUE(out.empty());
    kill(getpid(), SIGUSR1);
    EXPECT_EQ(Take(*pipe_, 1).size(), 1u);
    return WEXITSTATUS(status);
  }
};

TEST_F(BlockedForkTest, ASignalWaitsUntilTheChildUnblocksIt) {
  EXPECT_EQ(CodeOfChild([] {
              kill(getpid(), SIGUSR1);
              const sigset_t set = Only(SIGUSR1);
              sigset_t pending;
              sigpending(&pending);
              if (sigismember(&pending, SIGUSR1) != 1) return 1;
              pthread_sigmask(SIG_UNBLOCK, &set, nullptr);
              return earlier_runs == 1 ? 0 : 2;
            }),
            0);
}

TEST_F(BlockedForkTest, TheChildsCopyDestroysWithoutWaiting) {
  EXPECT_EQ(CodeOfChild([&] {
              pipe_.reset();
              return 0;
            }),
            0);
}

TEST_F(BlockedForkTest, TheChildCanHaveAPipeOfItsOwn) {
  EXPECT_EQ(CodeOfChild([&] {
              auto own = SignalPipe::Create().value();
              if (!own->Catch(SIGRTMIN).ok()) return 1;
              for (int i = 0; i < 100; ++i) SendValue(getpid(), SIGRTMIN, i);
              const auto got = Take(*own, 100);
              for (int i = 0; i < 100; ++i) {
                if (got[i].value.sival_int != i) return 2;
              }
              pipe_.reset();  // the parent's, copied: not in the way
              own.reset();
              return 0;
            }),
            0);
}

}  // namespace
}  // namespace troupe

int main(int argc, char** argv) {
  if (!troupe::BlockSignals().ok()) return 1;
  testing::InitGoogleTest(&argc, argv);
  return RUN_ALL_TESTS();
}
