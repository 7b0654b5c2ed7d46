// The timers of an I/O actor.
#include <time.h>

#include <functional>
#include <future>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "caf/exit_reason.hpp"
#include "caf/send.hpp"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "io/io_messages.h"
#include "io/timer_id.h"
#include "tests/support/io_fixture.h"

namespace troupe {
namespace {

using ::testing::ElementsAre;

int64_t NowNs() {
  timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * int64_t{1000000000} + now.tv_nsec;
}

class IoTimerTest : public IoTest {
 protected:
  IoTimerTest()
      : observer_(NewObserver([this](TimerId id) {
          trace_->Add(absl::StrCat(names_[id.value]));
        })) {}
  ~IoTimerTest() override { observer_ = nullptr; }

  TimerObserver NewObserver(std::function<void(TimerId)> then) {
    TimerObserver::behavior_type (*body)(TimerObserver::pointer,
                                         std::function<void(TimerId)>) =
        [](TimerObserver::pointer,
           std::function<void(TimerId)> then) -> TimerObserver::behavior_type {
      return {[=](const TimerFired& fired) { then(fired.timer); }};
    };
    return system_->spawn<caf::hidden>(body, std::move(then));
  }
  TimerId Start(std::string name, absl::Duration after) {
    TimerId id = TimerId::Next();
    names_[id.value] = std::move(name);
    ids_.push_back(id);
    after_.push_back(after);
    return id;
  }
  // All at once, so that no name comes too late for its timer.
  void Go() {
    for (size_t i = 0; i < ids_.size(); ++i) {
      caf::anon_send(io(), StartTimer{ids_[i], after_[i], observer_});
    }
  }

  std::map<uint64_t, std::string> names_;
  std::vector<TimerId> ids_;
  std::vector<absl::Duration> after_;
  TimerObserver observer_;
};

TEST_F(IoTimerTest, FireInTheOrderOfTheirDeadlines) {
  Start("third", absl::Milliseconds(60));
  Start("second", absl::Milliseconds(40));
  Start("first", absl::Milliseconds(20));
  Go();
  ASSERT_TRUE(trace_->WaitFor("third"));
  EXPECT_THAT(trace_->events(), ElementsAre("first", "second", "third"));
}

TEST_F(IoTimerTest, NeverFireEarly) {
  std::promise<int64_t> fired;
  TimerObserver observer =
      NewObserver([&](TimerId) { fired.set_value(NowNs()); });
  for (int i = 0; i < 20; ++i) {
    fired = {};
    int64_t after = i * 1000003 + i * 17;
    int64_t begin = NowNs();
    caf::anon_send(
        io(), StartTimer{TimerId::Next(), absl::Nanoseconds(after), observer});
    EXPECT_GE(fired.get_future().get() - begin, after);
  }
}

TEST_F(IoTimerTest, DoNotFireWhenCancelled) {
  TimerId gone = Start("gone", absl::Milliseconds(20));
  Start("later", absl::Milliseconds(40));
  Go();
  caf::anon_send(io(), CancelTimer{gone});
  ASSERT_TRUE(trace_->WaitFor("later"));
  EXPECT_THAT(trace_->events(), ElementsAre("later"));
}

TEST_F(IoTimerTest, FireAtOnceForWhatIsOver) {
  Start("past", absl::Milliseconds(-5));
  Start("far past", -absl::InfiniteDuration());
  Start("now", absl::ZeroDuration());
  Start("never", absl::InfiniteDuration());
  Go();
  ASSERT_TRUE(trace_->WaitFor("now"));
  EXPECT_THAT(trace_->events(), ElementsAre("past", "far past", "now"));
}

TEST_F(IoTimerTest, DoNotKeepTheirObserverAlive) {
  Start("dead", absl::Milliseconds(10));
  caf::weak_actor_ptr weak = caf::actor_cast<caf::weak_actor_ptr>(observer_);
  Go();
  WaitForIteration(*io_);
  observer_ = nullptr;
  EXPECT_EQ(weak.lock(), nullptr);
  WaitForTimer(*io_, absl::Milliseconds(30));
  EXPECT_THAT(trace_->events(), ElementsAre());
}

TEST_F(IoTimerTest, AreForgottenWithTheLoop) {
  Start("late", absl::Hours(1));
  Go();
  WaitForIteration(*io_);
  io_->Stop();
}

// The deadline of the descriptor follows the earliest timer, both ways.
TEST_F(IoTimerTest, AreFoundWhenAnEarlierOneComesOrGoes) {
  TimerId far = Start("far", absl::Hours(1));
  Go();
  for (int i = 0; i < 10; ++i) WaitForTimer(*io_, absl::Milliseconds(2));
  caf::anon_send(io(), CancelTimer{far});
  WaitForTimer(*io_, absl::Milliseconds(2));
  EXPECT_THAT(trace_->events(), ElementsAre());
}

}  // namespace
}  // namespace troupe
