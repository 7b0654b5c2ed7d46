#include "signals/signal_buffer.h"

#include <signal.h>
#include <sys/epoll.h>

#include <atomic>
#include <memory>
#include <thread>
#include <utility>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "io/owned_fd.h"
#include "tests/support/leak_check.h"

namespace troupe {
namespace {

using ::testing::ElementsAre;

SignalDelivery Delivery(int number, int value = 0) {
  SignalDelivery delivery;
  delivery.number = number;
  delivery.value.sival_int = value;
  return delivery;
}

class SignalBufferTest : public LeakCheckedTest {
 protected:
  SignalBufferTest() : epoll_(epoll_create1(EPOLL_CLOEXEC)) { Make({}); }

  void Make(SignalBuffer::Options options) {
    auto buffer = SignalBuffer::Create(options);
    ASSERT_TRUE(buffer.ok()) << buffer.status();
    buffer_ = *std::move(buffer);
    epoll_event event{EPOLLIN | EPOLLET, {}};
    epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, buffer_->fd(), &event);
  }
  bool HasEdge(int timeout_ms = 0) {
    epoll_event event;
    return epoll_wait(epoll_.get(), &event, 1, timeout_ms) == 1;
  }
  std::vector<int> Values() {
    std::vector<SignalDelivery> out;
    buffer_->Drain(out);
    std::vector<int> values;
    for (const auto& delivery : out) values.push_back(delivery.value.sival_int);
    return values;
  }

  OwnedFd epoll_;
  std::unique_ptr<SignalBuffer> buffer_;
};

// S11.
TEST_F(SignalBufferTest, GivesDeliveriesInOrderOfArrival) {
  for (int value : {1, 2, 3}) {
    EXPECT_TRUE(buffer_->Push(Delivery(SIGRTMIN, value)));
  }
  EXPECT_THAT(Values(), ElementsAre(1, 2, 3));
  EXPECT_THAT(Values(), ElementsAre());
}

// One wake-up per drain, and never none.
TEST_F(SignalBufferTest, GivesAnEdgeAfterEachDrain) {
  EXPECT_FALSE(HasEdge());
  for (int round = 0; round < 3; ++round) {
    buffer_->Push(Delivery(SIGRTMIN, 1));
    EXPECT_TRUE(HasEdge());
    buffer_->Push(Delivery(SIGRTMIN, 2));
    EXPECT_FALSE(HasEdge());
    EXPECT_THAT(Values(), ElementsAre(1, 2));
  }
}

TEST_F(SignalBufferTest, SaysThatItIsFullAndWakesItsOwner) {
  Make({.exact = 1, .limit = 2});
  EXPECT_TRUE(buffer_->Push(Delivery(SIGRTMIN, 1)));
  EXPECT_TRUE(buffer_->Push(Delivery(SIGRTMIN, 2)));
  EXPECT_TRUE(HasEdge());
  EXPECT_FALSE(buffer_->Push(Delivery(SIGRTMIN, 3)));
  EXPECT_THAT(Values(), ElementsAre(1, 2));
  Make({.exact = 1, .limit = 0});
  EXPECT_FALSE(buffer_->Push(Delivery(SIGRTMIN, 1)));
  EXPECT_TRUE(HasEdge());
}

// S12: one that comes while the owner drains has an edge of its own if it was
// not taken. The writer waits after each pair, so nothing else wakes the owner.
TEST_F(SignalBufferTest, LeavesNothingBehindWithoutAnEdge) {
  constexpr int kPairs = 20'000;
  std::atomic<int> taken{0};
  std::atomic<bool> failed{false};
  std::thread writer([&] {
    for (int pair = 0; pair < kPairs && !failed; ++pair) {
      buffer_->Push(Delivery(SIGRTMIN, 2 * pair));
      // The owner wakes up and drains: at each time somewhere else.
      for (int pause = pair * 7 % 16384; pause > 0; --pause) taken.load();
      buffer_->Push(Delivery(SIGRTMIN, 2 * pair + 1));
      while (taken < 2 * pair + 2 && !failed) std::this_thread::yield();
    }
  });
  while (taken < 2 * kPairs && !failed) {
    failed = !HasEdge(5000);
    for (int value : Values()) {
      EXPECT_EQ(value, taken);
      ++taken;
    }
  }
  EXPECT_FALSE(failed);
  writer.join();
}

}  // namespace
}  // namespace troupe
