// A loop under a clock that a test turns.
#include <vector>

#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "actors/loop.h"
#include "caf/event_based_actor.hpp"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "io/resident.h"
#include "io/virtual_clock.h"
#include "tests/support/descriptors.h"
#include "tests/support/loop_fixture.h"

namespace troupe {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class LoopClockTest : public LoopFixture {};

TEST_F(LoopClockTest, PassesADayInNoTimeAndInOrder) {
  VirtualClock clock;
  loop_ = NewLoop(&clock);
  const absl::Duration began = loop_->Time();
  loop_->CallLater(absl::Hours(24), SaysAndStops("a day"));
  loop_->CallLater(absl::Hours(1), Says("an hour", [&] {
                     EXPECT_EQ(loop_->Time() - began, absl::Hours(1));
                     loop_->CallLater(absl::Minutes(1), Says("and a minute"));
                   }));
  loop_->CallLater(absl::Minutes(1), Says("a minute"));
  const absl::Time before = absl::Now();
  Run();
  EXPECT_THAT(told_,
              ElementsAre("a minute", "an hour", "and a minute", "a day"));
  EXPECT_EQ(loop_->Time() - began, absl::Hours(24));
  EXPECT_LT(absl::Now() - before, absl::Hours(1));
  loop_.reset();
}

TEST_F(LoopClockTest, StandsStillWhileThereIsSomethingToDo) {
  VirtualClock clock;
  loop_ = NewLoop(&clock);
  auto [in, out] = MakePipe();
  WriteFully(out, "x");
  int reads = 0;
  loop_->AddReader(in.get(), [&, fd = in.get()] {
    EXPECT_EQ(loop_->Time(), absl::ZeroDuration());
    if (++reads == 5) loop_->RemoveReader(fd);
  });
  loop_->CallLater(absl::Nanoseconds(1), SaysAndStops("timer"));
  Run();
  EXPECT_EQ(reads, 5);
  loop_.reset();
}

// Timers of actors on the loop's thread run on its clock, too.
TEST_F(LoopClockTest, IsTheClockOfItsActorsTimers) {
  VirtualClock clock;
  loop_ = NewLoop(&clock);
  auto actor = SpawnResident<caf::hidden>(
      loop_->host(),
      [&](Resident<TimerObserver::base>* self) -> TimerObserver::behavior_type {
        loop_->host().StartTimer(TimerId::Next(), absl::Hours(1),
                                 caf::actor_cast<caf::weak_actor_ptr>(self));
        return {[this, self](const TimerFired&) {
          told_.push_back("fired");
          loop_->Stop();
          self->quit();
        }};
      });
  loop_->CallLater(absl::Minutes(30), Says("half"));
  Run();
  EXPECT_THAT(told_, ElementsAre("half", "fired"));
  EXPECT_EQ(loop_->Time(), absl::Hours(1));
  loop_.reset();
}

TEST_F(LoopClockTest, MovesByHandOnly) {
  VirtualClock clock(VirtualClock::Mode::kByHand);
  loop_ = NewLoop(&clock);
  loop_->CallEvery(absl::Seconds(10), Says("tick"));
  ASSERT_TRUE(loop_->RunOnce().ok());
  clock.Advance(absl::Seconds(9));
  ASSERT_TRUE(loop_->RunOnce().ok());
  EXPECT_THAT(told_, IsEmpty());
  clock.Advance(absl::Seconds(1));
  ASSERT_TRUE(loop_->RunOnce(/*may_sleep=*/true).ok());
  EXPECT_THAT(told_, ElementsAre("tick"));
  loop_.reset();
}

// Stopped before: one iteration, and time does not jump in it (row L12).
TEST_F(LoopClockTest, DoesNotJumpInAnIterationThatMayNotSleep) {
  VirtualClock clock;
  loop_ = NewLoop(&clock);
  loop_->CallLater(absl::Hours(1), Says("timer"));
  loop_->Stop();
  Run();
  EXPECT_THAT(told_, IsEmpty());
  EXPECT_EQ(loop_->Time(), absl::ZeroDuration());
  loop_.reset();
}

}  // namespace
}  // namespace troupe
