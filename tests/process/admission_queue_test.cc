#include "process/admission_queue.h"

#include <chrono>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace troupe {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using Tickets = std::vector<AdmissionQueue::Ticket>;

class AdmissionQueueTest : public ::testing::Test {
 protected:
  static Tickets TakeAll(AdmissionQueue& queue,
                         AdmissionQueue::TimePoint now = kStart) {
    Tickets taken;
    while (auto next = queue.Next(now)) taken.push_back(*next);
    return taken;
  }

  static constexpr AdmissionQueue::TimePoint kStart{seconds(100)};
};

TEST_F(AdmissionQueueTest, KeepsTheOrderOfOneOwner) {
  AdmissionQueue queue({.starting = 9});
  for (int ticket : {1, 2, 3}) queue.Add(ticket, 7, kStart);
  EXPECT_THAT(TakeAll(queue), ElementsAre(1, 2, 3));
}

// Ask of the peers: one with ten thousand does not keep another waiting.
TEST_F(AdmissionQueueTest, OwnersTakeTurns) {
  AdmissionQueue queue({.starting = 5});
  for (int ticket = 1; ticket <= 10000; ++ticket) queue.Add(ticket, 7, kStart);
  queue.Add(10001, 8, kStart);
  queue.Add(10002, 8, kStart);
  queue.Add(10003, 9, kStart);
  EXPECT_THAT(TakeAll(queue), ElementsAre(1, 10001, 10003, 2, 10002));
}

TEST_F(AdmissionQueueTest, StartsNoMoreAtATimeThanAskedFor) {
  AdmissionQueue queue({.starting = 2});
  for (int ticket : {1, 2, 3, 4}) queue.Add(ticket, 7, kStart);
  EXPECT_THAT(TakeAll(queue), ElementsAre(1, 2));
  queue.Started(1);
  EXPECT_THAT(TakeAll(queue), ElementsAre(3));
  queue.Failed(2);
  EXPECT_THAT(TakeAll(queue), ElementsAre(4));
}

TEST_F(AdmissionQueueTest, NoMoreLiveThanAskedForThoseThatStartIncluded) {
  AdmissionQueue queue({.live = 2, .starting = 9});
  for (int ticket : {1, 2, 3, 4}) queue.Add(ticket, 7, kStart);
  EXPECT_THAT(TakeAll(queue), ElementsAre(1, 2));
  queue.Started(1);
  queue.Started(2);
  EXPECT_EQ(queue.live(), 2u);
  EXPECT_THAT(TakeAll(queue), IsEmpty());
  queue.Ended();
  EXPECT_THAT(TakeAll(queue), ElementsAre(3));
  queue.Failed(3);
  EXPECT_THAT(TakeAll(queue), ElementsAre(4));
}

TEST_F(AdmissionQueueTest, ACancelledStartLosesItsPlace) {
  AdmissionQueue queue({.starting = 1});
  for (int ticket : {1, 2, 3}) queue.Add(ticket, 7, kStart);
  EXPECT_THAT(TakeAll(queue), ElementsAre(1));
  EXPECT_FALSE(queue.Cancel(1));  // it is starting
  EXPECT_TRUE(queue.Cancel(2));
  EXPECT_FALSE(queue.Cancel(2));
  EXPECT_EQ(queue.waiting(), 1u);
  queue.Failed(1);
  EXPECT_THAT(TakeAll(queue), ElementsAre(3));
}

// An owner that came and went has no second turn when it comes again.
TEST_F(AdmissionQueueTest, TurnsAreNotCollected) {
  AdmissionQueue queue({.starting = 0});
  for (int ticket = 1; ticket < 100; ++ticket) {
    queue.Add(ticket, 7, kStart);
    queue.Cancel(ticket);
  }
  AdmissionQueue fair({.starting = 4});
  fair.Add(1, 7, kStart);
  fair.Cancel(1);
  for (int ticket : {2, 3}) fair.Add(ticket, 7, kStart);
  for (int ticket : {4, 5}) fair.Add(ticket, 8, kStart);
  EXPECT_THAT(TakeAll(fair), ElementsAre(2, 4, 3, 5));
}

TEST_F(AdmissionQueueTest, WaitsTwiceAsLongEachTimeUpToALimit) {
  AdmissionQueue queue(
      {.first_wait = milliseconds(10), .longest_wait = milliseconds(50)});
  queue.Add(1, 7, kStart);
  auto now = kStart;
  for (int wait : {10, 20, 40, 50, 50}) {
    EXPECT_THAT(TakeAll(queue, now), ElementsAre(1));
    EXPECT_FALSE(queue.Lacked(1, now).has_value());
    EXPECT_EQ(queue.wake_at(), now + milliseconds(wait));
    EXPECT_THAT(TakeAll(queue, *queue.wake_at() - milliseconds(1)), IsEmpty());
    now = *queue.wake_at();
  }
}

TEST_F(AdmissionQueueTest, ASuccessEndsTheWant) {
  AdmissionQueue queue({.starting = 1, .first_wait = milliseconds(10)});
  queue.Add(1, 7, kStart);
  queue.Add(2, 7, kStart);
  TakeAll(queue);
  (void)queue.Lacked(1, kStart);
  auto now = *queue.wake_at();
  EXPECT_THAT(TakeAll(queue, now), ElementsAre(1));  // before 2
  queue.Started(1);
  EXPECT_THAT(TakeAll(queue, now), ElementsAre(2));
  (void)queue.Lacked(2, now);
  EXPECT_EQ(queue.wake_at(), now + milliseconds(10));
}

// It does so for those of the owner that wait already, and from then on the
// owner's time counts anew.
TEST_F(AdmissionQueueTest, ASuccessLetsGoOfAHeldOwner) {
  AdmissionQueue queue({.patience = milliseconds(100)});
  for (int ticket : {1, 2, 3}) queue.Add(ticket, 7, kStart);
  EXPECT_THAT(TakeAll(queue), ElementsAre(1, 2, 3));
  EXPECT_FALSE(queue.Lacked(1, kStart).has_value());
  EXPECT_THAT(TakeAll(queue), IsEmpty());
  queue.Started(2);
  EXPECT_FALSE(queue.wake_at().has_value());
  EXPECT_THAT(TakeAll(queue), ElementsAre(1));
  EXPECT_FALSE(queue.Lacked(3, kStart + milliseconds(100)).has_value());
}

// The time that it has waited for its turn is not its owner's want.
TEST_F(AdmissionQueueTest, DoesNotGiveUpAtTheFirstFailure) {
  AdmissionQueue queue({.patience = milliseconds(100)});
  queue.Add(1, 7, kStart);
  const auto late = kStart + milliseconds(200);
  EXPECT_THAT(TakeAll(queue, late), ElementsAre(1));
  EXPECT_FALSE(queue.Lacked(1, late).has_value());
}

// It may be a limit of that owner's alone, of another user: others go on.
TEST_F(AdmissionQueueTest, AHeldOwnerMissesItsTurn) {
  AdmissionQueue queue({.starting = 1});
  queue.Add(1, 7, kStart);
  queue.Add(2, 7, kStart);
  queue.Add(3, 8, kStart);
  TakeAll(queue);
  (void)queue.Lacked(1, kStart);
  EXPECT_THAT(TakeAll(queue), ElementsAre(3));
  queue.Failed(3);
  EXPECT_THAT(TakeAll(queue), IsEmpty());
  EXPECT_THAT(TakeAll(queue, *queue.wake_at()), ElementsAre(1));
}

// However their starts went.
TEST_F(AdmissionQueueTest, ForgetsOwnersThatWantNothingMore) {
  AdmissionQueue queue({.patience = milliseconds(0)});
  for (int i : {1, 2, 3, 4}) queue.Add(i, i, kStart);
  EXPECT_EQ(queue.owners(), 4u);
  queue.Cancel(4);
  EXPECT_THAT(TakeAll(queue), ElementsAre(1, 2, 3));
  EXPECT_EQ(queue.owners(), 3u);
  queue.Started(1);
  queue.Failed(2);
  EXPECT_TRUE(queue.Lacked(3, kStart).has_value());
  EXPECT_EQ(queue.owners(), 0u);
  EXPECT_EQ(queue.live(), 1u);
}

TEST_F(AdmissionQueueTest, SeveralThatFailTogetherAreOneFailure) {
  AdmissionQueue queue({.starting = 3, .first_wait = milliseconds(10)});
  for (int ticket : {1, 2, 3}) queue.Add(ticket, 7, kStart);
  TakeAll(queue);
  for (int ticket : {3, 1, 2}) (void)queue.Lacked(ticket, kStart);
  EXPECT_EQ(queue.wake_at(), kStart + milliseconds(10));
  EXPECT_THAT(TakeAll(queue, *queue.wake_at()), ElementsAre(1, 2, 3));
}

// The last try is not late, and those behind it do not each begin anew.
TEST_F(AdmissionQueueTest, GivesUpWhenItsPatienceIsOver) {
  AdmissionQueue queue({.starting = 1,
                        .first_wait = milliseconds(40),
                        .longest_wait = milliseconds(400),
                        .patience = milliseconds(100)});
  queue.Add(1, 7, kStart);
  queue.Add(2, 7, kStart);
  queue.Add(3, 7, kStart + milliseconds(50));
  auto now = kStart;
  TakeAll(queue, now);
  EXPECT_FALSE(queue.Lacked(1, now).has_value());
  now = *queue.wake_at();
  TakeAll(queue, now);
  EXPECT_FALSE(queue.Lacked(1, now).has_value());
  now = *queue.wake_at();
  EXPECT_EQ(now, kStart + milliseconds(100));
  EXPECT_THAT(TakeAll(queue, now), ElementsAre(1));
  auto want = queue.Lacked(1, now);
  ASSERT_TRUE(want.has_value());
  EXPECT_EQ(want->tries, 3);
  EXPECT_EQ(want->time, milliseconds(100));
  EXPECT_THAT(TakeAll(queue, now), ElementsAre(2));
  EXPECT_EQ(queue.Lacked(2, now)->tries, 4);
  // This one has not been in line for so long.
  EXPECT_THAT(TakeAll(queue, now), ElementsAre(3));
  EXPECT_FALSE(queue.Lacked(3, now).has_value());
  EXPECT_TRUE(queue.wake_at().has_value());
}

TEST_F(AdmissionQueueTest, AHeldOwnerThatGoesLeavesNothing) {
  AdmissionQueue queue({});
  queue.Add(1, 7, kStart);
  TakeAll(queue);
  (void)queue.Lacked(1, kStart);
  EXPECT_TRUE(queue.Cancel(1));
  EXPECT_FALSE(queue.wake_at().has_value());
}

}  // namespace
}  // namespace troupe
