// More signals than anybody keeps up with, through the relay: core rule 7.
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdint>
#include <memory>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "tests/signals/relay_fixture.h"

namespace troupe {
namespace {

std::atomic<uint64_t> runs;
void (*ours)(int, siginfo_t*, void*);
void CountAndRunOurs(int number, siginfo_t* info, void* context) {
  runs.fetch_add(1);
  ours(number, info, context);
}

class SignalRelayFloodTest : public SignalRelayTest {};

// Core rule 7: deliveries plus our own coalescing equal handler runs, and the
// last send is always seen.
TEST_F(SignalRelayFloodTest, TheCountsAreTheHandlersRuns) {
  constexpr int kThreads = 4, kSends = 3000;
  runs = 0;
  auto sum = std::make_shared<std::atomic<uint64_t>>(0);
  auto other = std::make_shared<std::atomic<uint64_t>>(0);
  auto counter = Counter(sum), second = Counter(other);
  ASSERT_EQ(Subscribe(SIGUSR1, counter), "");
  ASSERT_EQ(Subscribe(SIGUSR1, second), "");
  struct sigaction installed, counting;
  sigaction(SIGUSR1, nullptr, &installed);
  ours = installed.sa_sigaction;
  counting = installed;
  counting.sa_sigaction = &CountAndRunOurs;
  sigaction(SIGUSR1, &counting, nullptr);
  std::vector<std::thread> threads;
  for (int i = 0; i < kThreads; ++i) {
    threads.emplace_back([i] {
      for (int n = 0; n < kSends; ++n) {
        if ((n + i) % 2 == 0) {
          raise(SIGUSR1);
        } else {
          kill(getpid(), SIGUSR1);
        }
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  auto last = Worker("last");
  ASSERT_EQ(Subscribe(SIGUSR1, last), "");
  raise(SIGUSR1);
  ASSERT_TRUE(trace_->WaitFor(absl::StrCat("last ", SIGUSR1)));
  sigaction(SIGUSR1, &installed, nullptr);
  while (*sum < runs || *other < runs) std::this_thread::yield();
  EXPECT_EQ(*sum, runs);
  EXPECT_EQ(*other, runs);
}

TEST_F(SignalRelayFloodTest, EachRealTimeSignalIsToldOnce) {
  constexpr int kSends = 5000;
  auto sum = std::make_shared<std::atomic<uint64_t>>(0);
  ASSERT_EQ(Subscribe(SIGRTMIN, Counter(sum)), "");
  pid_t child = fork();
  if (child == 0) {
    sigval value{};
    for (int i = 0; i < kSends; ++i) {
      while (sigqueue(getppid(), SIGRTMIN, value) != 0) {
        if (errno != EAGAIN) _exit(1);
        sched_yield();
      }
    }
    _exit(0);
  }
  waitpid(child, nullptr, 0);
  while (*sum < kSends) std::this_thread::yield();
  raise(SIGRTMIN);
  while (*sum < kSends + 1) std::this_thread::yield();
  EXPECT_EQ(*sum, kSends + 1u);
}

}  // namespace
}  // namespace troupe
