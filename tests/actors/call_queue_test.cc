#include "actors/call_queue.h"

#include <atomic>
#include <functional>
#include <limits>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/call_queue_fixture.h"

namespace troupe {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class CallQueueTest : public CallQueueFixture {};

// Row L2.
TEST_F(CallQueueTest, RunsEachCallOnceInOrder) {
  for (const char* name : {"a", "b", "c"}) Soon(Says(name));
  Iterate();
  Iterate();
  EXPECT_THAT(told_, ElementsAre("a", "b", "c"));
}

// Row L3.
TEST_F(CallQueueTest, RunsWhatACallSchedulesInTheNextIteration) {
  Soon(Says("a", [&] { Soon(Says("b", [&] { Soon(Says("c")); })); }));
  Iterate();
  EXPECT_THAT(told_, ElementsAre("a"));
  EXPECT_TRUE(calls_.Ready());
  Iterate();
  EXPECT_THAT(told_, ElementsAre("a", "b"));
}

// Rows L4, L5: ready ones first, then timers by time, a delay below zero too.
TEST_F(CallQueueTest, RunsDueTimersByTimeAfterWhatIsReady) {
  Soon(Says("1"));
  Soon(Says("2"));
  After(-1, Says("a"));
  After(-2, Says("b"));
  After(0, Says("z"));
  Iterate();
  EXPECT_THAT(told_, ElementsAre("1", "2", "b", "a", "z"));
}

// Row L5.
TEST_F(CallQueueTest, NeverRunsATimerEarly) {
  After(10, Says("t"));
  EXPECT_EQ(calls_.next_deadline_ns(), clock_.NowNs() + 10);
  Pass(9);
  Iterate();
  EXPECT_THAT(told_, IsEmpty());
  Pass(1);
  Iterate();
  EXPECT_THAT(told_, ElementsAre("t"));
}

// Row L5, where asyncio promises no order.
TEST_F(CallQueueTest, RunsTimersOfOneTimeInTheOrderTheyWereArmed) {
  for (int i = 0; i < 20; ++i) After(5, Says(std::to_string(i)));
  Pass(5);
  Iterate();
  for (int i = 0; i < 20; ++i) EXPECT_EQ(told_[i], std::to_string(i));
}

// Rows L5, V46: infinity is a delay like any other.
TEST_F(CallQueueTest, NeverRunsATimerAtTheEndOfTime) {
  calls_.At(TimerHeap<ScheduledCall>::kNever, Says("never"), kHere);
  Pass(int64_t{1} << 62);
  Iterate();
  EXPECT_THAT(told_, IsEmpty());
}

// Row L5, by the sanitizer: nothing overflows.
TEST_F(CallQueueTest, RunsTimersFromTheBeginningOfTime) {
  constexpr int64_t kBegin = std::numeric_limits<int64_t>::min();
  constexpr int64_t kEnd = std::numeric_limits<int64_t>::max();
  Pass(1'000'000);
  calls_.At(kBegin, Says("once"), kHere);
  calls_.Every(kBegin, kBegin, Says("always"), kHere);
  calls_.Every(kBegin, 10, Says("often"), kHere);
  calls_.Every(-5, kEnd, Says("never again"), kHere);
  Iterate();
  EXPECT_THAT(told_, ElementsAre("once", "always", "often", "never again"));
  EXPECT_GT(calls_.Metrics().longest_lag, absl::ZeroDuration());
  told_.clear();
  Pass(10);
  Iterate();
  EXPECT_THAT(told_, ::testing::UnorderedElementsAre("always", "often"));
}

TEST_F(CallQueueTest, RepeatsOnAGridAndLeavesOutWhatItMissed) {
  Every(10, Says("tick"));
  Pass(10);
  Iterate();
  EXPECT_EQ(calls_.next_deadline_ns(), 20);
  Pass(35);  // it is 45: 20, 30 and 40 are one
  Iterate();
  EXPECT_EQ(calls_.next_deadline_ns(), 50);
  EXPECT_THAT(told_, ElementsAre("tick", "tick"));
}

TEST_F(CallQueueTest, StopsRepeatingWhenCancelledFromInside) {
  auto captured = std::make_shared<int>(1);
  CallHandle ticks;
  ticks = Every(10, [&, captured] {
    told_.push_back("tick");
    EXPECT_TRUE(ticks.Cancel());
  });
  Pass(10);
  Iterate();
  EXPECT_EQ(captured.use_count(), 1);
  EXPECT_EQ(calls_.Metrics().timers, 0u);
  Pass(10);
  Iterate();
  EXPECT_THAT(told_, ElementsAre("tick"));
}

// Row L16.
TEST_F(CallQueueTest, TellsOfAnExceptionAndGoesOn) {
  Soon([] { throw std::runtime_error("boom"); });
  Soon(Says("next"));
  Iterate();
  EXPECT_THAT(told_,
              ElementsAre("threw <Handle created at here.cc:7>", "next"));
}

TEST_F(CallQueueTest, GoesOnRepeatingAfterAnException) {
  Every(10, [] { throw 1; });
  for (int i = 0; i < 2; ++i) {
    Pass(10);
    Iterate();
  }
  EXPECT_EQ(told_.size(), 2u);
}

// Row L21, at call_soon() instead of when it is called.
TEST_F(CallQueueTest, RefusesACallOfNothing) {
  EXPECT_EQ(Soon(nullptr).status().message(),
            "a callable object was expected by CallSoon(), got nothing");
  EXPECT_FALSE(After(1, nullptr).status().ok());
  EXPECT_FALSE(Every(1, nullptr).status().ok());
  EXPECT_FALSE(calls_.SoonThreadsafe(nullptr, kHere).status().ok());
  Iterate();
}

// Row L21, here always.
TEST_F(CallQueueTest, RefusesAnotherThreadWhileItRuns) {
  calls_.Enter();
  std::thread([&] {
    EXPECT_EQ(Soon(Says("x")).status().message(),
              "Non-thread-safe operation invoked on an event loop other than "
              "the current one");
    EXPECT_FALSE(After(1, Says("x")).status().ok());
    EXPECT_TRUE(calls_.SoonThreadsafe(Says("safe"), kHere).status().ok());
  }).join();
  calls_.Leave();
  Iterate();
  EXPECT_THAT(told_, ElementsAre("safe"));
}

// Row L9: one order for both kinds of calls, also among threads.
TEST_F(CallQueueTest, RunsCallsFromElsewhereInTheOrderOfScheduling) {
  Soon(Says("a", [&] {
    std::thread([&] { calls_.SoonThreadsafe(Says("d"), kHere); }).join();
    Soon(Says("e"));
  }));
  calls_.SoonThreadsafe(Says("b"), kHere);
  Soon(Says("c"));
  Iterate();
  Iterate();
  EXPECT_THAT(told_, ElementsAre("a", "b", "c", "d", "e"));
}

// Row L9: any number of calls until the queue looks is one wake-up.
TEST_F(CallQueueTest, WakesItsOwnerOnceForManyCallsFromElsewhere) {
  for (int i = 0; i < 100; ++i) {
    calls_.SoonThreadsafe(Says("x"), kHere);
  }
  EXPECT_EQ(wakes_, 1);
  Iterate();
  EXPECT_EQ(told_.size(), 100u);
  calls_.SoonThreadsafe(Says("x"), kHere);
  EXPECT_EQ(wakes_, 2);
}

// Row L9; a bug of ours: a cancel, which wakes nobody, kept the next call from
// waking.
TEST_F(CallQueueTest, WakesItsOwnerForACallAfterACancelFromElsewhere) {
  CallHandle timer = After(10, Says("timer"));
  calls_.Enter();
  const int before = wakes_;
  std::thread([&] {
    EXPECT_TRUE(timer.Cancel());
    calls_.SoonThreadsafe(Says("call"), kHere);
  }).join();
  EXPECT_EQ(wakes_ - before, 1);
  calls_.Leave();
}

// Core rule 8: whoever hosts the loop hears of what is scheduled in between.
TEST_F(CallQueueTest, WakesItsOwnerForACallWhileNobodyRunsIt) {
  Soon(Says("x"));
  After(1, Says("x"));
  EXPECT_EQ(wakes_, 1);
  Iterate();
  After(1, Says("x"));
  EXPECT_EQ(wakes_, 2);
}

// Rows L2, L9, L14.
TEST_F(CallQueueTest, RefusesCallsAfterClose) {
  calls_.Close();
  for (const CallHandle& handle :
       {Soon(Says("x")), After(1, Says("x")), Every(1, Says("x")),
        calls_.SoonThreadsafe(Says("x"), kHere)}) {
    EXPECT_EQ(handle.status().message(), "Event loop is closed");
    EXPECT_TRUE(handle.cancelled());
  }
}

// Row L14.
TEST_F(CallQueueTest, DropsWhatWaitsWhenClosed) {
  auto captured = std::make_shared<int>(1);
  CallHandle soon = Soon([captured] { FAIL(); });
  CallHandle later = After(1, [captured] { FAIL(); });
  CallHandle safe = calls_.SoonThreadsafe([captured] { FAIL(); }, kHere);
  calls_.Close();
  EXPECT_EQ(captured.use_count(), 1);
  EXPECT_TRUE(soon.cancelled() && later.cancelled() && safe.cancelled());
  EXPECT_EQ(calls_.Metrics().timers, 0u);
}

// A capture's destructor is the program's code, and may use the queue.
TEST_F(CallQueueTest, MayBeUsedByWhatIsDestroyedWhenItIsClosed) {
  struct Canceller {
    explicit Canceller(std::function<void()> then) : then(std::move(then)) {}
    ~Canceller() { then(); }
    std::function<void()> then;
  };
  CallHandle other = After(1, Says("other"));
  auto canceller = std::make_shared<Canceller>([&] {
    other.Cancel();
    EXPECT_FALSE(Soon(Says("late")).status().ok());
  });
  Soon([canceller] {});
  canceller.reset();
  calls_.Close();
  EXPECT_TRUE(other.cancelled());
}

// Row L22's measure.
TEST_F(CallQueueTest, TellsOfASlowCall) {
  calls_.SetSlowNs(1);
  Soon(Says("a"));
  Iterate();
  EXPECT_THAT(told_, ElementsAre("a", "slow"));
}

TEST_F(CallQueueTest, CountsWhatItDoes) {
  Soon(Says("a"));
  After(10, Says("t"));
  Iterate();
  Pass(25);
  Iterate();
  LoopMetrics metrics = calls_.Metrics();
  EXPECT_EQ(metrics.iterations, 2u);
  EXPECT_EQ(metrics.callbacks, 2u);
  EXPECT_EQ(metrics.lag, absl::Nanoseconds(15));
  EXPECT_EQ(metrics.longest_lag, absl::Nanoseconds(15));
  EXPECT_GT(metrics.longest_callback, absl::ZeroDuration());
}

}  // namespace
}  // namespace troupe
