// Where a signal pipe sends the deliveries of a number: to its owner, into
// taps.
#include <signal.h>

#include <atomic>
#include <cstdint>
#include <memory>
#include <thread>
#include <utility>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "signals/signal_buffer.h"
#include "signals/signal_delivery.h"
#include "tests/signals/pipe_fixture.h"

namespace troupe {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class SignalRouteTest : public SignalPipeFixture {};

TEST_F(SignalRouteTest, SendsANumberIntoTapsOnly) {
  Catch({SIGUSR1, SIGUSR2});
  auto one = NewTap(), two = NewTap();
  pipe_->SetRoute(SIGUSR1, /*to_owner=*/false, {one, two});
  raise(SIGUSR1);
  EXPECT_FALSE(Readable(pipe_->fd()));  // the owner sleeps on
  EXPECT_TRUE(Readable(one->fd()));
  raise(SIGUSR2);
  EXPECT_THAT(Numbers(*pipe_), ElementsAre(SIGUSR2));
  EXPECT_THAT(Numbers(*one), ElementsAre(SIGUSR1));
  EXPECT_THAT(Numbers(*two), ElementsAre(SIGUSR1));
}

TEST_F(SignalRouteTest, SendsANumberToItsOwnerToo) {
  Catch({SIGUSR1});
  auto tap = NewTap();
  pipe_->SetRoute(SIGUSR1, /*to_owner=*/true, {tap});
  raise(SIGUSR1);
  EXPECT_THAT(Numbers(*pipe_), ElementsAre(SIGUSR1));
  EXPECT_THAT(Numbers(*tap), ElementsAre(SIGUSR1));
  pipe_->SetRoute(SIGUSR1, /*to_owner=*/true, {});
  raise(SIGUSR1);
  EXPECT_THAT(Numbers(*pipe_), ElementsAre(SIGUSR1));
  EXPECT_THAT(Numbers(*tap), IsEmpty());
}

TEST_F(SignalRouteTest, LetsGoOfTapsThatNoRouteHas) {
  auto tap = NewTap();
  std::weak_ptr<SignalBuffer> gone = tap;
  pipe_->SetRoute(SIGUSR1, false, {std::move(tap)});
  EXPECT_FALSE(gone.expired());
  pipe_->SetRoute(SIGUSR1, true, {});
  EXPECT_TRUE(gone.expired());
}

// S12: wherever a run of the handler was when the route changed, its delivery
// is in one place, and no route that it uses is freed.
TEST_F(SignalRouteTest, LosesNothingWhileRoutesChange) {
  Catch({SIGUSR1});
  std::atomic<bool> stop{false};
  std::atomic<std::uint64_t> raised{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < 3; ++i) {
    threads.emplace_back([&] {
      while (!stop) {
        raise(SIGUSR1);
        ++raised;
      }
    });
  }
  std::uint64_t to_owner = 0, to_taps = 0;
  const auto take = [](auto& source) {
    std::uint64_t sum = 0;
    for (const auto& delivery : Drain(source)) sum += delivery.count;
    return sum;
  };
  auto one = NewTap(), two = NewTap();
  for (int round = 0; round < 2000 || to_owner == 0 || to_taps == 0; ++round) {
    pipe_->SetRoute(SIGUSR1, false, {one});
    pipe_->SetRoute(SIGUSR1, false, {two});
    pipe_->SetRoute(SIGUSR1, true, {});
    if (round % 50 == 0) std::this_thread::yield();
    to_owner += take(*pipe_);
    to_taps += take(*one) + take(*two);
  }
  stop = true;
  for (std::thread& thread : threads) thread.join();
  to_owner += take(*pipe_);
  to_taps += take(*one) + take(*two);
  EXPECT_EQ(to_owner + to_taps, raised);
}

// It would wait for this thread, which is to drain.
TEST_F(SignalRouteTest, ChangesARouteWhileAHandlerWaitsForTheOwner) {
  Make({.exact = 1, .limit = 1});
  Catch({SIGRTMIN});
  struct sigaction action;
  sigaction(SIGRTMIN, nullptr, &action);
  chained = action.sa_sigaction;
  action.sa_sigaction = &Stranger;
  sigaction(SIGRTMIN, &action, nullptr);
  std::thread sender([] {
    SendValue(SIGRTMIN, 1);
    SendValue(SIGRTMIN, 2);
  });
  while (earlier_runs < 2) std::this_thread::yield();
  auto tap = NewTap();
  pipe_->SetRoute(SIGRTMIN, false, {tap});
  std::vector<SignalDelivery> out;
  while (out.size() < 2) {
    pipe_->Drain(out);
    tap->Drain(out);
  }
  sender.join();
}

}  // namespace
}  // namespace troupe
