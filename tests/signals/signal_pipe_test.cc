#include "signals/signal_pipe.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <memory>
#include <thread>
#include <utility>
#include <vector>

#include "gmock/gmock.h"
#include "signals/block_signals.h"
#include "signals/disposition.h"
#include "signals/signal_buffer.h"
#include "tests/signals/pipe_fixture.h"

namespace troupe {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class SignalPipeTest : public SignalPipeFixture {};

// S19: two owners would take each other's signals.
TEST_F(SignalPipeTest, RefusesASecondOneInTheProcess) {
  auto second = SignalPipe::Create();
  EXPECT_TRUE(absl::IsFailedPrecondition(second.status()));
  EXPECT_EQ(second.status().message(),
            "this process has a signal pipe already, and only one can own its "
            "signal handlers");
  pipe_.reset();
  EXPECT_TRUE(SignalPipe::Create().ok());
}

// S11.
TEST_F(SignalPipeTest, DeliversInOrderOfArrival) {
  Catch({SIGUSR1, SIGUSR2});
  for (int i = 0; i < 5; ++i) raise(SIGUSR1);
  raise(SIGUSR2);
  raise(SIGUSR1);
  EXPECT_THAT(Numbers(*pipe_), ElementsAre(SIGUSR1, SIGUSR1, SIGUSR1, SIGUSR1,
                                           SIGUSR1, SIGUSR2, SIGUSR1));
}

// S11: 5 -> 1 and 3 -> 3.
TEST_F(SignalPipeTest, LeavesToTheKernelWhatIsSentWhileBlocked) {
  Catch({SIGUSR1, SIGRTMIN});
  ChangeMask(SIG_BLOCK, SIGUSR1);
  ChangeMask(SIG_BLOCK, SIGRTMIN);
  for (int i = 0; i < 5; ++i) raise(SIGUSR1);
  for (int i = 0; i < 3; ++i) SendValue(SIGRTMIN, i);
  EXPECT_THAT(Drain(*pipe_), IsEmpty());
  ChangeMask(SIG_UNBLOCK, SIGUSR1);
  EXPECT_THAT(Numbers(*pipe_), ElementsAre(SIGUSR1));
  ChangeMask(SIG_UNBLOCK, SIGRTMIN);
  EXPECT_THAT(Values(*pipe_), ElementsAre(0, 1, 2));
}

TEST_F(SignalPipeTest, SaysWhoSentASignal) {
  Catch({SIGUSR1});
  const pid_t child = fork();
  if (child == 0) _exit(kill(getppid(), SIGUSR1));
  waitpid(child, nullptr, 0);
  ASSERT_TRUE(Readable(pipe_->fd(), 5000));
  auto out = Drain(*pipe_);
  ASSERT_EQ(out.size(), 1u);
  EXPECT_EQ(out[0].pid, child);
  EXPECT_EQ(out[0].uid, getuid());
  EXPECT_EQ(out[0].code, SI_USER);
}

TEST_F(SignalPipeTest, SaysHowAChildEnded) {
  Catch({SIGCHLD});
  const pid_t child = fork();
  if (child == 0) _exit(7);
  waitpid(child, nullptr, 0);
  ASSERT_TRUE(Readable(pipe_->fd(), 5000));
  auto out = Drain(*pipe_);
  ASSERT_EQ(out.size(), 1u);
  EXPECT_EQ(out[0].pid, child);
  EXPECT_EQ(out[0].code, CLD_EXITED);
  EXPECT_EQ(out[0].value.sival_int, 7);
}

// Row S14; SignalBufferTest has the edges.
TEST_F(SignalPipeTest, IsReadableOnceADeliveryCame) {
  Catch({SIGUSR1});
  EXPECT_FALSE(Readable(pipe_->fd()));
  raise(SIGUSR1);
  EXPECT_TRUE(Readable(pipe_->fd()));
}

TEST_F(SignalPipeTest, LeavesErrnoToTheInterruptedCode) {
  Catch({SIGUSR1});
  // The handler's own write fails with EBADF.
  const int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
  dup3(null, pipe_->fd(), O_CLOEXEC);
  close(null);
  errno = 77;
  raise(SIGUSR1);
  EXPECT_EQ(errno, 77);
}

TEST_F(SignalPipeTest, ReleasedGivesTheSignalBack) {
  signal(SIGUSR1, &Earlier);
  Catch({SIGUSR1});
  raise(SIGUSR1);
  ASSERT_TRUE(pipe_->Release(SIGUSR1).ok());
  raise(SIGUSR1);
  EXPECT_EQ(earlier_runs, 1);
  EXPECT_THAT(Numbers(*pipe_), ElementsAre(SIGUSR1));
  EXPECT_TRUE(absl::IsNotFound(pipe_->Release(SIGUSR1)));
}

TEST_F(SignalPipeTest, DestroyedGivesEverySignalBack) {
  signal(SIGUSR1, &Earlier);
  signal(SIGRTMIN, SIG_IGN);
  Catch({SIGUSR1, SIGRTMIN});
  pipe_.reset();
  raise(SIGUSR1);
  raise(SIGRTMIN);
  EXPECT_EQ(earlier_runs, 1);
}

TEST_F(SignalPipeTest, CatchesAndReleasesFromAnyThread) {
  std::thread([&] { Catch({SIGUSR1}); }).join();
  raise(SIGUSR1);
  EXPECT_THAT(Numbers(*pipe_), ElementsAre(SIGUSR1));
  std::thread([&] { EXPECT_TRUE(pipe_->Release(SIGUSR1).ok()); }).join();
}

// A stranger's handler that calls ours still reaches the pipe, and nobody once
// the pipe is gone: it must not be sent the signal for ever.
TEST_F(SignalPipeTest, OutlivesAHandlerInstalledOverItsOwn) {
  Catch({SIGUSR1});
  struct sigaction action;
  sigaction(SIGUSR1, nullptr, &action);
  chained = action.sa_sigaction;
  action.sa_sigaction = &Stranger;
  sigaction(SIGUSR1, &action, nullptr);
  raise(SIGUSR1);
  EXPECT_THAT(Numbers(*pipe_), ElementsAre(SIGUSR1));
  EXPECT_TRUE(absl::IsFailedPrecondition(pipe_->Release(SIGUSR1)));
  pipe_.reset();
  raise(SIGUSR1);
  EXPECT_EQ(earlier_runs, 2);
}

// A handler may be on another thread at any instruction when the pipe goes.
TEST_F(SignalPipeTest, IsDestroyedUnderRunningHandlers) {
  signal(SIGUSR1, &Earlier);
  std::atomic<bool> stop{false};
  std::vector<std::thread> threads;
  for (int i = 0; i < 3; ++i) {
    threads.emplace_back([&] {
      while (!stop) raise(SIGUSR1);
    });
  }
  std::size_t delivered = 0;
  for (int round = 0; round < 50 || delivered == 0 || earlier_runs == 0;
       ++round) {
    Make({});
    Catch({SIGUSR1});
    delivered += Drain(*pipe_).size();
  }
  stop = true;
  for (std::thread& thread : threads) thread.join();
}

// It could no longer keep its promise, and says so.
TEST_F(SignalPipeTest, BlockSignalsComesBeforeTheFirstThread) {
  std::atomic<bool> stop{false};
  std::thread other([&] {
    while (!stop) std::this_thread::yield();
  });
  EXPECT_TRUE(absl::IsFailedPrecondition(BlockSignals()));
  stop = true;
  other.join();
  Catch({SIGUSR1});
  raise(SIGUSR1);  // not blocked
  EXPECT_THAT(Numbers(*pipe_), ElementsAre(SIGUSR1));
  EXPECT_FALSE(MaskBeforeBlockSignals().has_value());
}

// Rule 7: a full queue never loses. The writer's handler waits on its thread.
TEST_F(SignalPipeTest, AtItsLimitAHandlerWaitsForTheOwner) {
  Make({.exact = 1, .limit = 4});
  Catch({SIGRTMIN});
  constexpr int kSends = 50;
  std::thread sender([] {
    for (int i = 0; i < kSends; ++i) SendValue(SIGRTMIN, i);
  });
  std::vector<SignalDelivery> out;
  while (out.size() < kSends && Readable(pipe_->fd(), 5000)) pipe_->Drain(out);
  sender.join();
  ASSERT_EQ(out.size(), static_cast<std::size_t>(kSends));
  for (int i = 0; i < kSends; ++i) EXPECT_EQ(out[i].value.sival_int, i);
}

TEST_F(SignalPipeTest, DestroyedItLetsAWaitingHandlerGo) {
  signal(SIGRTMIN, &Earlier);
  Make({.exact = 1, .limit = 2});
  Catch({SIGRTMIN});
  std::atomic<int> sent{0};
  std::thread sender([&] {
    for (int i = 0; i < 3; ++i) {
      sent = i + 1;
      SendValue(SIGRTMIN, i);
    }
  });
  while (sent < 3) std::this_thread::yield();
  pipe_.reset();
  sender.join();
  EXPECT_EQ(earlier_runs, 1);  // the third, under the restored disposition
}

}  // namespace
}  // namespace troupe
