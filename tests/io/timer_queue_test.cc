#include "io/timer_queue.h"

#include <map>
#include <memory>
#include <random>
#include <utility>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace troupe {
namespace {

using ::testing::ElementsAre;

using Timers = TimerQueue<int>;

std::vector<int> Due(Timers& timers, int64_t now) {
  std::vector<int> targets;
  while (auto due = timers.PopDue(now)) targets.push_back(due->target);
  return targets;
}

TEST(TimerQueueTest, FiresByDeadlineThenByOrderOfArrival) {
  Timers timers;
  for (int i = 0; i < 20; ++i) timers.Add(TimerId::Next(), 100 - i / 4, i);
  EXPECT_EQ(timers.next_deadline_ns(), 96);
  EXPECT_THAT(Due(timers, 97), ElementsAre(16, 17, 18, 19, 12, 13, 14, 15));
  EXPECT_EQ(timers.size(), 12u);
}

TEST(TimerQueueTest, NeverFiresEarly) {
  Timers timers;
  timers.Add(TimerId::Next(), 100, 1);
  EXPECT_FALSE(timers.PopDue(99).has_value());
  EXPECT_TRUE(timers.PopDue(100).has_value());
  EXPECT_EQ(timers.next_deadline_ns(), Timers::kNever);
}

TEST(TimerQueueTest, ForgetsACancelledTimer) {
  Timers timers;
  TimerId id = TimerId::Next();
  timers.Add(id, 100, 1);
  EXPECT_TRUE(timers.Cancel(id));
  EXPECT_FALSE(timers.Cancel(id));
  EXPECT_FALSE(timers.Cancel(TimerId::Next()));
  EXPECT_EQ(timers.size(), 0u);
}

TEST(TimerQueueTest, DoesNotKnowATimerThatHasFired) {
  Timers timers;
  TimerId id = TimerId::Next();
  timers.Add(id, 100, 1);
  EXPECT_EQ(timers.PopDue(100)->id, id);
  EXPECT_FALSE(timers.Cancel(id));
}

TEST(TimerQueueTest, ReplacesATimerOfTheSameId) {
  Timers timers;
  TimerId id = TimerId::Next();
  timers.Add(id, 100, 1);
  timers.Add(id, 200, 2);
  EXPECT_THAT(Due(timers, 150), ElementsAre());
  EXPECT_THAT(Due(timers, 200), ElementsAre(2));
}

TEST(TimerQueueTest, AgreesWithAModelOnRandomOperations) {
  std::mt19937 random(4711);
  Timers timers;
  std::map<std::pair<int64_t, int>, TimerId> model;  // deadline, arrival
  std::vector<std::pair<std::pair<int64_t, int>, TimerId>> known;
  int64_t now = 0;
  for (int step = 0; step < 200000; ++step) {
    int what = random() % 10;
    if (what < 5) {
      TimerId id = TimerId::Next();
      int64_t deadline = now + random() % 1000;
      timers.Add(id, deadline, step);
      model[{deadline, step}] = id;
      known.push_back({{deadline, step}, id});
    } else if (what < 8 && !known.empty()) {
      auto [key, id] = known[random() % known.size()];
      ASSERT_EQ(timers.Cancel(id), model.erase(key) == 1);
    } else {
      now += random() % 100;
      while (auto due = timers.PopDue(now)) {
        ASSERT_FALSE(model.empty());
        auto first = model.begin();
        ASSERT_EQ(due->deadline_ns, first->first.first);
        ASSERT_EQ(due->target, first->first.second);
        ASSERT_LE(due->deadline_ns, now);
        model.erase(first);
      }
      ASSERT_TRUE(model.empty() || model.begin()->first.first > now);
    }
    ASSERT_EQ(timers.size(), model.size());
    ASSERT_EQ(timers.next_deadline_ns(),
              model.empty() ? Timers::kNever : model.begin()->first.first);
  }
}

// Row L7, and what CAF's clock does not: a cancelled timer leaves nothing.
TEST(TimerQueueTest, KeepsNothingOfAMillionTimers) {
  auto token = std::make_shared<int>();
  TimerQueue<std::shared_ptr<int>> timers;
  std::vector<TimerId> ids;
  for (int i = 0; i < 1000000; ++i) {
    ids.push_back(TimerId::Next());
    timers.Add(ids.back(), 1 + int64_t{i} * 7919 % 1000003, token);
  }
  for (int i = 0; i < 900000; ++i) ASSERT_TRUE(timers.Cancel(ids[i]));
  EXPECT_EQ(timers.size(), 100000u);
  EXPECT_EQ(token.use_count(), 100001);
  int64_t last = 0;
  while (auto due = timers.PopDue(2000000)) {
    ASSERT_GE(due->deadline_ns, last);
    last = due->deadline_ns;
  }
  EXPECT_EQ(timers.size(), 0u);
  EXPECT_EQ(token.use_count(), 1);
}

}  // namespace
}  // namespace troupe
