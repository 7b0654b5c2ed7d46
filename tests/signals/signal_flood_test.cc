// Rule 7 under load: 100,000 signals from another process to five threads, to
// an owner that falls behind at once.
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdint>
#include <memory>
#include <thread>
#include <utility>
#include <vector>

#include "io/owned_fd.h"
#include "signals/disposition.h"
#include "signals/signal_delivery.h"
#include "signals/signal_pipe.h"
#include "tests/support/leak_check.h"

namespace troupe {
namespace {

constexpr int kSends = 100'000;
constexpr int kThreads = 5;

// Counts the runs of our handler without asking the pipe.
std::atomic<std::uint64_t> runs;
SignalHandler ours;
void CountAndRunOurs(int number, siginfo_t* info, void* context) {
  runs.fetch_add(1);
  ours(number, info, context);
}

void CountRunsOf(int number) {
  struct sigaction action;
  sigaction(number, nullptr, &action);
  ours = action.sa_sigaction;
  action.sa_sigaction = &CountAndRunOurs;
  sigaction(number, &action, nullptr);
}

// A child that sends, and exits with 0 when all were sent.
template <class Send>
pid_t StartSender(Send send) {
  const pid_t parent = getpid();
  const pid_t child = fork();
  if (child != 0) return child;
  for (int i = 0; i < kSends; ++i) {
    while (send(parent, i) != 0) {
      if (errno != EAGAIN) _exit(1);
      sched_yield();
    }
  }
  _exit(0);
}

int SendValue(pid_t parent, int value) {
  sigval sent{};
  sent.sival_int = value;
  // One number: with two, the kernel searches past all that wait of the other
  // for each one that it delivers.
  return sigqueue(parent, SIGRTMIN, sent);
}

int SendStandard(pid_t parent, int i) {
  return kill(parent, i % 3 == 0 ? SIGUSR2 : SIGUSR1);
}

class FloodTest : public LeakCheckedTest,
                  public ::testing::WithParamInterface<bool> {
 protected:
  FloodTest() {
    runs = 0;
    auto pipe = SignalPipe::Create({.exact = 8});
    EXPECT_TRUE(pipe.ok());
    pipe_ = *std::move(pipe);
    for (int number : Signals()) {
      EXPECT_TRUE(pipe_->Catch(number).ok());
      CountRunsOf(number);
    }
    const sigset_t all = Set();
    pthread_sigmask(SIG_BLOCK, &all, &before_);  // the owner's thread
  }

  ~FloodTest() override {
    for (int number : Signals()) {
      struct sigaction action;
      sigaction(number, nullptr, &action);
      action.sa_sigaction = ours;
      sigaction(number, &action, nullptr);
    }
    pipe_.reset();
    pthread_sigmask(SIG_SETMASK, &before_, nullptr);
  }

  static std::vector<int> Signals() { return {SIGUSR1, SIGUSR2, SIGRTMIN}; }
  static sigset_t Set() {
    sigset_t set;
    sigemptyset(&set);
    for (int number : Signals()) sigaddset(&set, number);
    return set;
  }

  // Threads that compute, and take the signals.
  void StartThreads() {
    stop_ = false;
    for (int i = 0; i < kThreads; ++i) {
      threads_.emplace_back([this] {
        const sigset_t set = Set();
        pthread_sigmask(SIG_UNBLOCK, &set, nullptr);
        while (!stop_) sched_yield();
      });
    }
  }
  // What no thread had taken yet is taken here, and every handler has returned.
  void StopThreads() {
    stop_ = true;
    for (std::thread& thread : threads_) thread.join();
    threads_.clear();
    const sigset_t set = Set();
    pthread_sigmask(SIG_UNBLOCK, &set, nullptr);
    pthread_sigmask(SIG_BLOCK, &set, nullptr);
  }

  // All that came; the parameter says whether the owner drains meanwhile.
  std::vector<SignalDelivery> TakeAllOf(pid_t sender) {
    std::vector<SignalDelivery> out;
    int status = -1;
    while (waitpid(sender, &status, GetParam() ? WNOHANG : 0) == 0) {
      pollfd fd{pipe_->fd(), POLLIN, 0};
      if (poll(&fd, 1, 1) == 1) pipe_->Drain(out);
    }
    EXPECT_EQ(status, 0);
    StopThreads();
    pipe_->Drain(out);
    return out;
  }

  std::unique_ptr<SignalPipe> pipe_;

 private:
  sigset_t before_;
  std::atomic<bool> stop_{false};
  std::vector<std::thread> threads_;
};

TEST_P(FloodTest, EachRealTimeSignalArrivesOnceWithItsValue) {
  const pid_t sender = StartSender(&SendValue);
  StartThreads();
  std::vector<int> seen(kSends);
  for (const SignalDelivery& delivery : TakeAllOf(sender)) {
    const int value = delivery.value.sival_int;
    ASSERT_TRUE(value >= 0 && value < kSends);
    EXPECT_EQ(delivery.number, SIGRTMIN);
    EXPECT_EQ(delivery.count, 1u);
    EXPECT_EQ(delivery.pid, sender);
    ++seen[value];
  }
  EXPECT_EQ(seen, std::vector<int>(kSends, 1));
  EXPECT_EQ(runs, static_cast<std::uint64_t>(kSends));
}

TEST_P(FloodTest, TheCountsOfStandardSignalsAreTheHandlersRuns) {
  const pid_t sender = StartSender(&SendStandard);
  StartThreads();
  std::uint64_t sum = 0;
  std::size_t records = 0;
  for (const SignalDelivery& delivery : TakeAllOf(sender)) {
    EXPECT_GT(delivery.count, 0u);
    EXPECT_EQ(delivery.pid, sender);
    sum += delivery.count;
    ++records;
  }
  EXPECT_EQ(sum, runs);
  EXPECT_GT(records, 0u);
  // An owner that took nothing meanwhile has 8 records and one per signal, and
  // one per thread whose handler had passed the check.
  if (!GetParam()) {
    EXPECT_LE(records, 8u + 2 + kThreads);
  }
}

TEST_P(FloodTest, TheLastSendIsAlwaysSeen) {
  const pid_t sender = StartSender(&SendStandard);
  StartThreads();
  TakeAllOf(sender);
  const OwnedFd epoll(epoll_create1(EPOLL_CLOEXEC));
  epoll_event event{EPOLLIN | EPOLLET, {}};
  epoll_ctl(epoll.get(), EPOLL_CTL_ADD, pipe_->fd(), &event);
  epoll_wait(epoll.get(), &event, 1, 0);
  StartThreads();
  kill(getpid(), SIGUSR1);
  std::vector<SignalDelivery> out;
  EXPECT_EQ(epoll_wait(epoll.get(), &event, 1, 5000), 1);
  pipe_->Drain(out);
  StopThreads();
  ASSERT_EQ(out.size(), 1u);
  EXPECT_EQ(out[0].pid, getpid());
}

INSTANTIATE_TEST_SUITE_P(Owner, FloodTest, ::testing::Bool(),
                         [](const ::testing::TestParamInfo<bool>& info) {
                           return info.param ? "DrainsMeanwhile"
                                             : "DrainsAtTheEnd";
                         });

}  // namespace
}  // namespace troupe
