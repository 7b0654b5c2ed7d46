// Running and stopping a loop.
#include <signal.h>

#include <atomic>
#include <functional>
#include <thread>
#include <vector>

#include "absl/time/time.h"
#include "actors/loop.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/descriptors.h"
#include "tests/support/loop_fixture.h"

namespace troupe {
namespace {

using ::testing::ElementsAre;

class LoopRunTest : public LoopFixture {};

// Row L1.
TEST_F(LoopRunTest, SaysWhatStateItIsIn) {
  EXPECT_EQ(loop_->ToString(), "<Loop running=False closed=False debug=False>");
  loop_->CallSoon([&] {
    EXPECT_EQ(loop_->ToString(),
              "<Loop running=True closed=False debug=False>");
    loop_->SetDebug(true);
    loop_->Stop();
  });
  Run();
  EXPECT_EQ(loop_->ToString(), "<Loop running=False closed=False debug=True>");
  ASSERT_TRUE(loop_->Close().ok());
  EXPECT_EQ(loop_->ToString(), "<Loop running=False closed=True debug=True>");
}

// Row L3: a callback that goes on scheduling itself does not keep the
// descriptors from being looked at.
TEST_F(LoopRunTest, LooksAtDescriptorsBetweenCallbacksThatScheduleThemselves) {
  auto [in, out] = MakePipe();
  int rounds = 0;
  std::function<void()> again = [&, &end = out] {
    if (++rounds == 3) WriteFully(end, "x");
    ASSERT_LT(rounds, 1000);
    if (loop_->IsRunning()) loop_->CallSoon(again);
  };
  loop_->CallSoon(again);
  loop_->AddReader(in.get(), SaysAndStops("readable"));
  Run();
  EXPECT_THAT(told_, ElementsAre("readable"));
  EXPECT_EQ(rounds, 4);  // the write's iteration, and that of the reader
  loop_->RemoveReader(in.get());
}

// Row L4.
TEST_F(LoopRunTest, RunsReadyThenDescriptorsThenTimers) {
  auto [in, out] = MakePipe();
  WriteFully(out, "x");
  loop_->CallLater(absl::ZeroDuration(), SaysAndStops("timer"));
  loop_->AddReader(in.get(), Says("reader"));
  loop_->CallSoon(Says("soon"));
  Run();
  EXPECT_THAT(told_, ElementsAre("soon", "reader", "timer"));
  loop_->RemoveReader(in.get());
}

// Row L5.
TEST_F(LoopRunTest, NeverRunsATimerEarlyByItsOwnClock) {
  for (absl::Duration delay : {absl::Microseconds(1), absl::Microseconds(300),
                               absl::Milliseconds(3), absl::Milliseconds(10)}) {
    const absl::Duration due = loop_->Time() + delay;
    loop_->CallLater(delay, [&, due] {
      EXPECT_GE(loop_->Time(), due);
      loop_->Stop();
    });
    Run();
  }
}

// Row L8: asyncio allows 20 iterations for these.
TEST_F(LoopRunTest, DoesNotSpinUntilATimerIsDue) {
  const uint64_t before = loop_->Metrics().iterations;
  for (double seconds : {1e-2, 1e-4, 1e-6, 1e-8, 1e-10}) {
    loop_->CallLater(absl::Seconds(seconds), [&] { loop_->Stop(); });
    Run();
  }
  EXPECT_LE(loop_->Metrics().iterations - before, 12u);
}

// Row L9.
TEST_F(LoopRunTest, IsWokenByACallFromAnotherThread) {
  std::thread other;
  loop_->CallSoon([&] {
    other = std::thread([&] {
      loop_->CallSoonThreadsafe(SaysAndStops("from another thread"));
    });
  });
  Run();
  other.join();
  EXPECT_THAT(told_, ElementsAre("from another thread"));
}

// Rows L9, V44, A16: however many threads call while it sleeps and wakes.
TEST_F(LoopRunTest, LosesNoCallFromAnotherThread) {
  constexpr int kThreads = 4;
  constexpr int kCalls = 20'000;
  int ran = 0;
  std::vector<int> last(kThreads, -1);
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < kCalls; ++i) {
        loop_->CallSoonThreadsafe([&, t, i] {
          EXPECT_EQ(last[t], i - 1);  // in order for each thread
          last[t] = i;
          if (++ran == kThreads * kCalls) loop_->Stop();
        });
      }
    });
  }
  Run();
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(ran, kThreads * kCalls);
}

// Row L11.
TEST_F(LoopRunTest, MayBeRunAgainAfterStop) {
  for (int i = 0; i < 3; ++i) {
    loop_->CallSoon(SaysAndStops("run"));
    Run();
    EXPECT_FALSE(loop_->IsRunning());
  }
  EXPECT_THAT(told_, ElementsAre("run", "run", "run"));
}

// Row L11.
TEST_F(LoopRunTest, RefusesToRunTwiceAtATime) {
  auto other = NewLoop();
  loop_->CallSoon([&] {
    EXPECT_EQ(loop_->RunForever().message(),
              "This event loop is already running");
    EXPECT_EQ(loop_->RunOnce().message(), "This event loop is already running");
    EXPECT_EQ(other->RunForever().message(),
              "Cannot run the event loop while another loop is running");
    std::thread([&] {
      EXPECT_EQ(loop_->RunForever().message(),
                "This event loop is already running");
    }).join();
    loop_->Stop();
  });
  Run();
  EXPECT_EQ(Loop::Running(), nullptr);
}

// Row L21, here always.
TEST_F(LoopRunTest, RefusesToBeChangedByAnotherThreadWhileItRuns) {
  auto [in, out] = MakePipe();
  loop_->AddReader(in.get(), Says("x"));
  loop_->AddWriter(out.get(), SaysAndStops("writable"));
  loop_->AddSignalHandler(SIGUSR1, Says("x"));
  loop_->CallSoon([&, in = in.get(), out = out.get()] {
    std::thread([&] {
      EXPECT_FALSE(loop_->RemoveReader(in));
      EXPECT_FALSE(loop_->RemoveWriter(out));
      EXPECT_FALSE(loop_->RemoveSignalHandler(SIGUSR1));
    }).join();
  });
  Run();
  EXPECT_THAT(told_, ElementsAre("writable"));
  EXPECT_TRUE(loop_->RemoveReader(in.get()));
  EXPECT_TRUE(loop_->RemoveWriter(out.get()));
  EXPECT_TRUE(loop_->RemoveSignalHandler(SIGUSR1));
}

// Row L12.
TEST_F(LoopRunTest, CompletesTheIterationInWhichItIsStopped) {
  loop_->CallSoon(Says("a", [&] {
    loop_->Stop();
    loop_->CallSoon(Says("next iteration"));
  }));
  loop_->CallSoon(Says("b"));
  Run();
  EXPECT_THAT(told_, ElementsAre("a", "b"));
  loop_->Stop();
  Run();
  EXPECT_THAT(told_, ElementsAre("a", "b", "next iteration"));
}

// Row L12: and it does not sleep.
TEST_F(LoopRunTest, RunsOneIterationWhenStoppedBefore) {
  loop_->CallLater(absl::Hours(1), Says("never"));
  loop_->CallSoon(Says("once", [&] { loop_->CallSoon(Says("again")); }));
  const uint64_t before = loop_->Metrics().iterations;
  loop_->Stop();
  Run();
  EXPECT_THAT(told_, ElementsAre("once"));
  EXPECT_EQ(loop_->Metrics().iterations, before + 1);
}

TEST_F(LoopRunTest, MayBeStoppedByAnotherThread) {
  std::atomic<bool> running{false};
  std::thread other([&] {
    while (!running) {
    }
    loop_->Stop();
  });
  loop_->CallSoon([&] { running = true; });
  Run();
  other.join();
}

// Row L27.
TEST_F(LoopRunTest, HasAClockThatNeverGoesBack) {
  absl::Duration before = loop_->Time();
  for (int i = 0; i < 1000; ++i) {
    absl::Duration now = loop_->Time();
    ASSERT_GE(now, before);
    before = now;
  }
}

TEST_F(LoopRunTest, RunsBesideOtherLoopsOnOtherThreads) {
  constexpr int kLoops = 4;
  std::atomic<int> ended{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < kLoops; ++i) {
    threads.emplace_back([&] {
      auto loop = Loop::Create(*system_);
      ASSERT_TRUE(loop.ok());
      int left = 100;
      (*loop)->CallEvery(absl::Microseconds(10), [&] {
        EXPECT_EQ(Loop::Running(), loop->get());
        if (--left == 0) (*loop)->Stop();
      });
      ASSERT_TRUE((*loop)->RunForever().ok());
      ++ended;
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(ended, kLoops);
}

// Idle means idle: a loop that has nothing to do makes no iteration.
TEST_F(LoopRunTest, SleepsUntilThereIsSomethingToDo) {
  uint64_t before = 0;
  loop_->CallSoon([&] { before = loop_->Metrics().iterations; });
  loop_->CallLater(absl::Milliseconds(50), [&] { loop_->Stop(); });
  Run();
  EXPECT_LE(loop_->Metrics().iterations - before, 3u);
}

}  // namespace
}  // namespace troupe
