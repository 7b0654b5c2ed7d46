// Leases with a tap: the signal handler writes into it, the relay is not asked.
#include <signal.h>

#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "caf/exit_reason.hpp"
#include "caf/send.hpp"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "signals/signal_buffer.h"
#include "signals/signal_delivery.h"
#include "tests/signals/relay_fixture.h"

namespace troupe {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class SignalTapTest : public SignalRelayTest {
 protected:
  static std::shared_ptr<SignalBuffer> NewTap() {
    return SignalBuffer::Create().value();
  }
  static std::vector<int> Numbers(SignalBuffer& tap) {
    std::vector<SignalDelivery> out;
    tap.Drain(out);
    std::vector<int> numbers;
    for (const auto& delivery : out) numbers.push_back(delivery.number);
    return numbers;
  }
  // A message that holds it may still be on its way out.
  static void WaitUntilGone(const std::weak_ptr<SignalBuffer>& tap) {
    while (!tap.expired()) std::this_thread::yield();
  }
};

// S13: a signal is there when its handler has run.
TEST_F(SignalTapTest, IsWrittenByTheSignalHandler) {
  auto tap = NewTap();
  ASSERT_EQ(Subscribe(SIGUSR1, InIo("a"), tap), "");
  WhileIoStandsStill([&] {
    raise(SIGUSR1);
    EXPECT_THAT(Numbers(*tap), ElementsAre(SIGUSR1));
  });
  ASSERT_EQ(Subscribe(SIGUSR2, InIo("b")), "");
  EXPECT_THAT(trace_->events(), IsEmpty());  // and nobody was told
}

// S19.
TEST_F(SignalTapTest, SharesASignalWithOthers) {
  auto one = NewTap(), two = NewTap();
  ASSERT_EQ(Subscribe(SIGUSR1, InIo("a"), one), "");
  ASSERT_EQ(Subscribe(SIGUSR1, InIo("b"), two), "");
  auto c = InIo("c");
  ASSERT_EQ(Subscribe(SIGUSR1, c), "");
  raise(SIGUSR1);
  ASSERT_TRUE(trace_->WaitFor(absl::StrCat("c ", SIGUSR1)));
  EXPECT_THAT(Numbers(*one), ElementsAre(SIGUSR1));
  EXPECT_THAT(Numbers(*two), ElementsAre(SIGUSR1));
  ASSERT_TRUE(Unsubscribe(SIGUSR1, c).was_subscribed);
  raise(SIGUSR1);
  EXPECT_THAT(Numbers(*one), ElementsAre(SIGUSR1));
  EXPECT_EQ(trace_->events().size(), 1u);
}

// S15: what came before stays, and nothing comes after.
TEST_F(SignalTapTest, KeepsWhatCameBeforeItsLeaseEnded) {
  Set(SIGUSR1, &Earlier);
  auto tap = NewTap();
  auto a = InIo("a");
  ASSERT_EQ(Subscribe(SIGUSR1, a, tap), "");
  raise(SIGUSR1);
  EXPECT_TRUE(Unsubscribe(SIGUSR1, a).was_subscribed);
  raise(SIGUSR1);
  EXPECT_THAT(Numbers(*tap), ElementsAre(SIGUSR1));
  EXPECT_EQ(earlier_runs, 1);
}

TEST_F(SignalTapTest, ALeaseEndsWithItsObserver) {
  Set(SIGUSR1, &Earlier);
  std::weak_ptr<SignalBuffer> tap;
  auto a = InIo("a");
  {
    auto mine = NewTap();
    tap = mine;
    ASSERT_EQ(Subscribe(SIGUSR1, a, mine), "");
  }
  EXPECT_FALSE(tap.expired());
  caf::anon_send_exit(a, caf::exit_reason::kill);
  WaitForDisposition(SIGUSR1, &Earlier);
  WaitUntilGone(tap);
}

TEST_F(SignalTapTest, ALeaseThatWasRefusedLeavesNothing) {
  std::weak_ptr<SignalBuffer> tap;
  {
    auto mine = NewTap();
    tap = mine;
    EXPECT_EQ(Subscribe(SIGKILL, InIo("a"), mine), "sig 9 cannot be caught");
  }
  WaitUntilGone(tap);
}

TEST_F(SignalTapTest, AClosedRelayLetsGoOfIt) {
  auto a = InIo("a");
  std::weak_ptr<SignalBuffer> tap;
  {
    auto mine = NewTap();
    tap = mine;
    ASSERT_EQ(Subscribe(SIGUSR1, a, mine), "");
  }
  Close();
  WaitUntilGone(tap);
}

// A lease that is asked for twice is one, with what was asked for last.
TEST_F(SignalTapTest, TheLastRequestOfAnObserverCounts) {
  auto one = NewTap(), two = NewTap();
  auto a = InIo("a");
  for (const auto& tap : {one, two}) {
    ASSERT_EQ(Subscribe(SIGUSR1, a, tap), "");
  }
  raise(SIGUSR1);
  EXPECT_THAT(Numbers(*one), IsEmpty());
  EXPECT_THAT(Numbers(*two), ElementsAre(SIGUSR1));
  ASSERT_EQ(Subscribe(SIGUSR1, a), "");
  raise(SIGUSR1);
  ASSERT_TRUE(trace_->WaitFor(absl::StrCat("a ", SIGUSR1)));
  EXPECT_THAT(Numbers(*two), IsEmpty());
  ASSERT_TRUE(Unsubscribe(SIGUSR1, a).was_subscribed);
  EXPECT_EQ(DispositionOf(SIGUSR1), SIG_DFL);
}

}  // namespace
}  // namespace troupe
