#include "actors/call_handle.h"

#include <atomic>
#include <memory>
#include <thread>
#include <vector>

#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "io/timer_heap.h"
#include "tests/support/call_queue_fixture.h"

namespace troupe {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class CallHandleTest : public CallQueueFixture {};

// Row L6.
TEST_F(CallHandleTest, OrdersTimerHandlesByTimeAndThenByArming) {
  CallHandle late = After(20, Says("late"));
  CallHandle early = After(10, Says("early"));
  CallHandle next = After(10, Says("next"));
  EXPECT_TRUE(early < late);
  EXPECT_TRUE(early < next);
  EXPECT_FALSE(next < early);
  EXPECT_TRUE(early == CallHandle(early));
  EXPECT_FALSE(early == next);
  EXPECT_EQ(early.when(), absl::Nanoseconds(10));
}

// Rows L6, L17, L21.
TEST_F(CallHandleTest, NamesHandlesByTheirPlaceAndTime) {
  CallHandle soon = Soon(Says("a"));
  CallHandle timer = After(1'500'000'000, Says("b"));
  EXPECT_EQ(soon.ToString(), "<Handle created at here.cc:7>");
  EXPECT_EQ(timer.ToString(),
            "<TimerHandle when=1.500000 created at here.cc:7>");
  soon.Cancel();
  timer.Cancel();
  EXPECT_EQ(soon.ToString(), "<Handle cancelled created at here.cc:7>");
  EXPECT_EQ(timer.ToString(),
            "<TimerHandle cancelled when=1.500000 created at here.cc:7>");
}

// Row L17.
TEST_F(CallHandleTest, SkipsACancelledCallAndDropsItsCapturesAtOnce) {
  auto captured = std::make_shared<int>(1);
  CallHandle handle = Soon([captured] { FAIL(); });
  EXPECT_EQ(captured.use_count(), 2);
  EXPECT_FALSE(handle.cancelled());
  EXPECT_TRUE(handle.Cancel());
  EXPECT_EQ(captured.use_count(), 1);
  EXPECT_TRUE(handle.cancelled());
  EXPECT_FALSE(handle.Cancel());
  Iterate();
}

// Row L17: what has run holds nothing, though its handle is kept.
TEST_F(CallHandleTest, DropsTheCapturesOfACallThatHasRun) {
  auto captured = std::make_shared<int>(1);
  CallHandle handle = Soon([captured] {});
  Iterate();
  EXPECT_EQ(captured.use_count(), 1);
  EXPECT_FALSE(handle.Cancel());
  EXPECT_FALSE(handle.cancelled());
}

// Row L6.
TEST_F(CallHandleTest, DoesNotRunACancelledTimer) {
  CallHandle handle = After(1, Says("t"));
  EXPECT_TRUE(handle.Cancel());
  EXPECT_FALSE(handle.Cancel());
  Pass(5);
  Iterate();
  EXPECT_THAT(told_, IsEmpty());
}

// Rows L7, V43: cancelled on the queue's thread a timer is gone at once,
// elsewhere when the thread looks next.
TEST_F(CallHandleTest, ForgetsACancelledTimer) {
  calls_.Enter();
  CallHandle one = After(1, Says("t"));
  CallHandle two = After(1, Says("t"));
  one.Cancel();
  EXPECT_EQ(calls_.Metrics().timers, 1u);
  std::thread([&] { EXPECT_TRUE(two.Cancel()); }).join();
  calls_.Begin(false);
  EXPECT_EQ(calls_.Metrics().timers, 0u);
  EXPECT_EQ(calls_.next_deadline_ns(), TimerHeap<ScheduledCall>::kNever);
  calls_.Leave();
}

// Row FD7's and S17's ground: one of a batch may cancel another.
TEST_F(CallHandleTest, DoesNotRunWhatACallBeforeItInTheBatchCancels) {
  CallHandle second;
  Soon(Says("first", [&] { EXPECT_TRUE(second.Cancel()); }));
  second = Soon(Says("second"));
  Iterate();
  EXPECT_THAT(told_, ElementsAre("first"));
}

// Row V43: a call runs, or its Cancel says true; never both, never neither.
TEST_F(CallHandleTest, EitherRunsOrIsCancelledHoweverManyThreadsTry) {
  constexpr int kCalls = 20'000;
  std::vector<std::atomic<int>> outcomes(kCalls);
  std::vector<CallHandle> handles;
  std::atomic<bool> go{false};
  for (int i = 0; i < kCalls; ++i) {
    auto run = [&outcomes, i] { ++outcomes[i]; };
    handles.push_back(i % 2 ? Soon(run) : After(0, run));
  }
  std::vector<std::thread> threads;
  for (int t = 0; t < 2; ++t) {
    threads.emplace_back([&, t] {
      while (!go) {
      }
      for (int i = kCalls - 1 - t; i >= 0; i -= 3) {
        if (handles[i].Cancel()) ++outcomes[i];
      }
    });
  }
  go = true;
  Iterate();
  for (std::thread& thread : threads) thread.join();
  Iterate();
  for (int i = 0; i < kCalls; ++i) ASSERT_EQ(outcomes[i], 1) << i;
  EXPECT_EQ(calls_.Metrics().timers, 0u);
}

}  // namespace
}  // namespace troupe
