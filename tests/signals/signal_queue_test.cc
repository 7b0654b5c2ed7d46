#include "signals/signal_queue.h"

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <map>
#include <thread>
#include <vector>

#include "gmock/gmock.h"
#include "tests/support/leak_check.h"

namespace troupe {
namespace {

using ::testing::ElementsAre;

SignalDelivery RealTime(int value, pid_t pid = 0) {
  SignalDelivery delivery{SIGRTMIN, SI_QUEUE, pid, 0, {}, 1};
  delivery.value.sival_int = value;
  return delivery;
}

SignalDelivery Standard(int number, pid_t pid = 0) {
  return {number, SI_USER, pid, 0, {}, 1};
}

std::vector<int> Numbers(const std::vector<SignalDelivery>& deliveries) {
  std::vector<int> numbers;
  for (const auto& delivery : deliveries) numbers.push_back(delivery.number);
  return numbers;
}

std::vector<std::uint64_t> Counts(
    const std::vector<SignalDelivery>& deliveries) {
  std::vector<std::uint64_t> counts;
  for (const auto& delivery : deliveries) counts.push_back(delivery.count);
  return counts;
}

std::vector<SignalDelivery> TakeAll(SignalQueue& queue) {
  std::vector<SignalDelivery> out;
  queue.Take(out);
  return out;
}

class SignalQueueTest : public LeakCheckedTest {};

// S11.
TEST_F(SignalQueueTest, KeepsTheOrderOfArrival) {
  SignalQueue queue(10, SignalQueue::kNoLimit);
  for (int number : {SIGUSR1, SIGUSR1, SIGUSR2, SIGRTMIN, SIGUSR1}) {
    ASSERT_TRUE(queue.Push(Standard(number)));
  }
  auto out = TakeAll(queue);
  EXPECT_THAT(Numbers(out),
              ElementsAre(SIGUSR1, SIGUSR1, SIGUSR2, SIGRTMIN, SIGUSR1));
  EXPECT_THAT(Counts(out), ElementsAre(1, 1, 1, 1, 1));
}

TEST_F(SignalQueueTest, AppendsToWhatTheReaderHas) {
  SignalQueue queue(10, SignalQueue::kNoLimit);
  std::vector<SignalDelivery> out;
  for (int number : {SIGUSR1, SIGUSR2, SIGHUP}) {
    queue.Push(Standard(number));
    queue.Take(out);
  }
  queue.Take(out);
  EXPECT_THAT(Numbers(out), ElementsAre(SIGUSR1, SIGUSR2, SIGHUP));
  for (int i = 0; i < 3; ++i) queue.Push(Standard(SIGUSR1));
  EXPECT_THAT(Counts(TakeAll(queue)), ElementsAre(1, 1, 1));  // none waited
}

TEST_F(SignalQueueTest, KeepsEveryFieldOfADelivery) {
  SignalQueue queue(10, SignalQueue::kNoLimit);
  SignalDelivery delivery{SIGCHLD, CLD_EXITED, 123, 45, {}, 1};
  delivery.value.sival_ptr = &queue;
  queue.Push(delivery);
  auto out = TakeAll(queue);
  ASSERT_EQ(out.size(), 1u);
  EXPECT_EQ(out[0].code, CLD_EXITED);
  EXPECT_EQ(out[0].pid, 123);
  EXPECT_EQ(out[0].uid, 45u);
  EXPECT_EQ(out[0].value.sival_ptr, &queue);
}

// Rule 7: our own coalescing is exact. Each signal takes one more record, at
// the place and with the sender of the first run in it.
TEST_F(SignalQueueTest, CountsStandardSignalsWhenTheReaderFellBehind) {
  SignalQueue queue(2, SignalQueue::kNoLimit);
  for (int number : {SIGHUP, SIGUSR1, SIGUSR2, SIGUSR1, SIGUSR1, SIGUSR2}) {
    ASSERT_TRUE(queue.Push(Standard(number, number)));
  }
  auto out = TakeAll(queue);
  EXPECT_THAT(Numbers(out), ElementsAre(SIGHUP, SIGUSR1, SIGUSR2, SIGUSR1));
  EXPECT_THAT(Counts(out), ElementsAre(1, 1, 2, 2));
  EXPECT_EQ(out[2].pid, SIGUSR2);
}

TEST_F(SignalQueueTest, SeesTheSendAfterACoalescedRecordWasTaken) {
  SignalQueue queue(0, SignalQueue::kNoLimit);
  for (int round = 1; round < 5; ++round) {
    for (int i = 0; i < round; ++i) queue.Push(Standard(SIGUSR1));
    EXPECT_THAT(Counts(TakeAll(queue)), ElementsAre(round));
  }
}

TEST_F(SignalQueueTest, GivesEachRunItsOwnRecordAgainOnceDrained) {
  SignalQueue queue(2, SignalQueue::kNoLimit);
  for (int i = 0; i < 9; ++i) queue.Push(Standard(SIGUSR1));
  TakeAll(queue);
  for (int i = 0; i < 2; ++i) queue.Push(Standard(SIGUSR1));
  EXPECT_THAT(Counts(TakeAll(queue)), ElementsAre(1, 1));
}

// Rule 7: each exactly once, with its value; 31 has the last standard number.
TEST_F(SignalQueueTest, NeverCoalescesRealTimeSignals) {
  SignalQueue queue(2, SignalQueue::kNoLimit);
  constexpr int kMany = 5000;  // several slabs
  for (int i = 0; i < kMany; ++i) ASSERT_TRUE(queue.Push(RealTime(i)));
  for (int i = 0; i < kMany; ++i) queue.Push(Standard(31));
  auto out = TakeAll(queue);
  ASSERT_EQ(out.size(), kMany + 1u);
  for (int i = 0; i < kMany; ++i) ASSERT_EQ(out[i].value.sival_int, i);
  EXPECT_EQ(out.back().count, static_cast<std::uint64_t>(kMany));
}

TEST_F(SignalQueueTest, RefusesAndChangesNothingAtItsLimit) {
  SignalQueue queue(0, 3);
  ASSERT_TRUE(queue.Push(Standard(SIGUSR1)));
  ASSERT_TRUE(queue.Push(RealTime(1)));
  ASSERT_TRUE(queue.Push(RealTime(2)));
  EXPECT_FALSE(queue.Push(RealTime(3)));
  EXPECT_FALSE(queue.Push(Standard(SIGUSR2)));
  EXPECT_TRUE(queue.Push(Standard(SIGUSR1)));  // has its record
  EXPECT_THAT(Counts(TakeAll(queue)), ElementsAre(2, 1, 1));
  EXPECT_TRUE(queue.Push(Standard(SIGUSR2)));
  EXPECT_THAT(Counts(TakeAll(queue)), ElementsAre(1));
}

TEST_F(SignalQueueTest, UsesItsRecordsAgain) {
  SignalQueue queue(8, 8);
  for (int round = 0; round < 1000; ++round) {
    for (int i = 0; i < 8; ++i) ASSERT_TRUE(queue.Push(RealTime(i)));
    ASSERT_EQ(TakeAll(queue).size(), 8u);
  }
}

constexpr int kWriters = 4;
constexpr int kEach = 20000;

// Runs `write(writer)` on kWriters threads, and reads until they are gone.
template <class Write>
std::vector<SignalDelivery> ReadWhile(SignalQueue& queue, Write write) {
  std::atomic<int> writing{kWriters};
  std::vector<std::thread> threads;
  for (int writer = 0; writer < kWriters; ++writer) {
    threads.emplace_back([&, writer] {
      write(writer);
      --writing;
    });
  }
  std::vector<SignalDelivery> out;
  while (writing > 0) queue.Take(out);
  for (std::thread& thread : threads) thread.join();
  queue.Take(out);
  return out;
}

void ExpectEachOnceAndInOrderPerWriter(const std::vector<SignalDelivery>& out,
                                       int each) {
  std::map<pid_t, int> next;
  for (const auto& delivery : out) {
    ASSERT_EQ(delivery.value.sival_int, next[delivery.pid]++);
    ASSERT_EQ(delivery.count, 1u);
  }
  ASSERT_EQ(next.size(), static_cast<std::size_t>(kWriters));
  for (const auto& [writer, count] : next) EXPECT_EQ(count, each);
}

TEST_F(SignalQueueTest, LosesNothingBetweenManyWritersAndTheReader) {
  SignalQueue queue(8, SignalQueue::kNoLimit);
  auto out = ReadWhile(queue, [&](int writer) {
    for (int i = 0; i < kEach; ++i) queue.Push(RealTime(i, writer));
  });
  ExpectEachOnceAndInOrderPerWriter(out, kEach);
}

// The few records go round and round: a record that is freed and taken again
// under a writer's feet must not be mistaken for the old one. Too narrow a race
// to be hit in every run.
TEST_F(SignalQueueTest, LosesNothingWhenItsFewRecordsGoRound) {
  SignalQueue queue(8, 64);
  auto out = ReadWhile(queue, [&](int writer) {
    for (int i = 0; i < kEach; ++i) {
      while (!queue.Push(RealTime(i, writer))) std::this_thread::yield();
    }
  });
  ExpectEachOnceAndInOrderPerWriter(out, kEach);
}

TEST_F(SignalQueueTest, CountsExactlyBetweenManyWritersAndTheReader) {
  SignalQueue queue(0, SignalQueue::kNoLimit);
  auto out = ReadWhile(queue, [&](int writer) {
    for (int i = 0; i < kEach; ++i) queue.Push(Standard(SIGUSR1, writer));
  });
  std::uint64_t sum = 0;
  for (const auto& delivery : out) {
    EXPECT_GT(delivery.count, 0u);
    sum += delivery.count;
  }
  EXPECT_EQ(sum, static_cast<std::uint64_t>(kWriters) * kEach);
}

}  // namespace
}  // namespace troupe
