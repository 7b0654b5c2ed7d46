// Leases: how a subscription ends, what it gives back, and who is told when
// there was nothing to give back to.
#include <signal.h>

#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "caf/exit_reason.hpp"
#include "caf/scoped_actor.hpp"
#include "caf/send.hpp"
#include "caf/typed_event_based_actor.hpp"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "io/resident.h"
#include "signals/signal_relay.h"
#include "tests/signals/relay_fixture.h"

namespace troupe {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class SignalLeaseTest : public SignalRelayTest {
 protected:
  // The relay's place is free again as soon as this returns.
  void ReplaceRelay(SignalRelayOwner owner) {
    Close();
    relay_ = New(std::move(owner));
  }
};

const char kKept[] =
    "SIGUSR1: another handler was installed meanwhile; it stays";

// S9 (asyncio sets the default instead), V55, A14.
TEST_F(SignalLeaseTest, TheLastLeaseRestoresWhatWasBefore) {
  Set(SIGUSR1, &Earlier);
  Set(SIGUSR2, SIG_IGN);
  auto a = Worker("a"), b = Worker("b");
  for (int number : {SIGUSR1, SIGUSR2}) {
    ASSERT_EQ(Subscribe(number, a), "");
    ASSERT_EQ(Subscribe(number, b), "");
    EXPECT_TRUE(Unsubscribe(number, a).was_subscribed);
    EXPECT_NE(DispositionOf(number), number == SIGUSR1 ? &Earlier : SIG_IGN);
    const Unsubscribed last = Unsubscribe(number, b);
    EXPECT_TRUE(last.was_subscribed);
    EXPECT_TRUE(last.restored.ok()) << last.restored;
  }
  EXPECT_EQ(DispositionOf(SIGUSR1), &Earlier);
  EXPECT_EQ(DispositionOf(SIGUSR2), SIG_IGN);
  raise(SIGUSR1);
  raise(SIGUSR2);
  EXPECT_EQ(earlier_runs, 1);
  EXPECT_THAT(trace_->events(), IsEmpty());
}

TEST_F(SignalLeaseTest, ALeaseEndsWithItsObserver) {
  Set(SIGUSR1, &Earlier);
  auto a = Worker("a"), b = InIo("b");
  ASSERT_EQ(Subscribe(SIGUSR1, a), "");
  ASSERT_EQ(Subscribe(SIGUSR2, a), "");
  ASSERT_EQ(Subscribe(SIGUSR1, b), "");
  caf::anon_send_exit(a, caf::exit_reason::user_shutdown);
  WaitForDisposition(SIGUSR2, SIG_DFL);
  raise(SIGUSR1);  // b still has its own
  ASSERT_TRUE(trace_->WaitFor(absl::StrCat("b ", SIGUSR1)));
  caf::anon_send_exit(b, caf::exit_reason::kill);
  WaitForDisposition(SIGUSR1, &Earlier);
}

// S16: an exception ends its actor, as everywhere; the others are told.
TEST_F(SignalLeaseTest, ALeaseEndsWithAnObserverThatThrows) {
  auto thrower = SpawnResident<caf::hidden>(
      host(),
      [](Resident<SignalObserver::base>*) -> SignalObserver::behavior_type {
        return {[](const SignalReceived&) { throw std::runtime_error("no"); }};
      });
  ASSERT_EQ(Subscribe(SIGUSR1, thrower), "");
  ASSERT_EQ(Subscribe(SIGUSR2, thrower), "");
  ASSERT_EQ(Subscribe(SIGUSR1, Worker("b")), "");
  raise(SIGUSR1);
  ASSERT_TRUE(trace_->WaitFor(absl::StrCat("b ", SIGUSR1)));
  WaitForDisposition(SIGUSR2, SIG_DFL);
  raise(SIGUSR1);
  ASSERT_TRUE(trace_->WaitFor(absl::StrCat("b ", SIGUSR1), 2));
}

// S24: a program that subscribes to nothing keeps all it had.
TEST_F(SignalLeaseTest, WithoutALeaseNothingIsChanged) {
  Close();
  std::vector<sighandler_t> before, with;
  for (int n = 1; n < NSIG; ++n) before.push_back(DispositionOf(n));
  relay_ = New();
  EXPECT_NE(Subscribe(SIGKILL, Worker("a")), "");  // it is up
  for (int n = 1; n < NSIG; ++n) with.push_back(DispositionOf(n));
  EXPECT_EQ(with, before);
}

TEST_F(SignalLeaseTest, ADeadObserversLeaseEndsAtOnce) {
  auto a = Worker("a");
  caf::anon_send_exit(a, caf::exit_reason::kill);
  while (!HasEnded(caf::actor_cast<caf::strong_actor_ptr>(a))) {
    std::this_thread::yield();
  }
  ASSERT_EQ(Subscribe(SIGUSR1, a), "");
  WaitForDisposition(SIGUSR1, SIG_DFL);
}

// A lease given up and taken again is a lease: its observer's death ends it.
TEST_F(SignalLeaseTest, ALeaseTakenAgainEndsWithItsObserverToo) {
  auto a = Worker("a");
  for (int i = 0; i < 100; ++i) {
    ASSERT_EQ(Subscribe(SIGUSR1, a), "");
    ASSERT_TRUE(Unsubscribe(SIGUSR1, a).was_subscribed);
  }
  ASSERT_EQ(Subscribe(SIGUSR1, a), "");
  ASSERT_EQ(Subscribe(SIGUSR2, a), "");
  ASSERT_TRUE(Unsubscribe(SIGUSR2, a).was_subscribed);
  caf::anon_send_exit(a, caf::exit_reason::kill);
  WaitForDisposition(SIGUSR1, SIG_DFL);
}

TEST_F(SignalLeaseTest, AKilledRelayRestoresEverything) {
  Set(SIGUSR1, &Earlier);
  Set(SIGUSR2, SIG_IGN);
  auto a = Worker("a");
  ASSERT_EQ(Subscribe(SIGUSR1, a), "");
  ASSERT_EQ(Subscribe(SIGUSR2, a), "");
  caf::anon_send_exit(relay_, caf::exit_reason::kill);
  WaitForDisposition(SIGUSR1, &Earlier);
  WaitForDisposition(SIGUSR2, SIG_IGN);
}

// The fixture compares.
TEST_F(SignalLeaseTest, AStoppedIoThreadRestoresEverything) {
  Set(SIGUSR1, &Earlier);
  Set(SIGUSR2, SIG_IGN);
  auto a = Worker("a");
  ASSERT_EQ(Subscribe(SIGUSR1, a), "");
  ASSERT_EQ(Subscribe(SIGUSR2, a), "");
  io_->Stop();
  EXPECT_EQ(DispositionOf(SIGUSR1), &Earlier);
  EXPECT_EQ(DispositionOf(SIGUSR2), SIG_IGN);
}

// S15, and what asyncio's second delivery gets wrong: a subscriber hears only
// of what arrives while it is one, however far the relay is behind.
TEST_F(SignalLeaseTest, WhatIsOnItsWayToALeaverIsForNobody) {
  auto a = Worker("a"), b = Worker("b");
  ASSERT_EQ(Subscribe(SIGUSR1, a), "");
  WhileIoStandsStill([&] {
    raise(SIGUSR1);
    raise(SIGUSR1);
    caf::anon_send(relay_, UnsubscribeFromSignal{SIGUSR1, a});
    caf::anon_send(relay_, SubscribeToSignal{SIGUSR1, b});
  });
  ASSERT_EQ(Subscribe(SIGUSR2, b), "");  // the relay has handled all that
  raise(SIGUSR1);
  ASSERT_TRUE(trace_->WaitFor(absl::StrCat("b ", SIGUSR1)));
  EXPECT_THAT(trace_->events(), ElementsAre(absl::StrCat("b ", SIGUSR1)));
}

// What came before it subscribed is for those who had.
TEST_F(SignalLeaseTest, ANewcomerHearsOnlyOfWhatComesAfter) {
  auto a = Worker("a"), b = Worker("b");
  ASSERT_EQ(Subscribe(SIGUSR1, a), "");
  WhileIoStandsStill([&] {
    raise(SIGUSR1);
    caf::anon_send(relay_, SubscribeToSignal{SIGUSR1, b});
  });
  ASSERT_EQ(Subscribe(SIGUSR2, b), "");
  raise(SIGUSR1);
  ASSERT_TRUE(trace_->WaitFor(absl::StrCat("a ", SIGUSR1), 2));
  ASSERT_TRUE(trace_->WaitFor(absl::StrCat("b ", SIGUSR1)));
  EXPECT_EQ(trace_->events().size(), 3u);
}

// S15: what is on its way to a subscriber that left is dropped, and the next
// one hears only of what comes after.
TEST_F(SignalLeaseTest, ASignalThatIsReleasedOnItsWayDisturbsNobody) {
  Set(SIGUSR1, &Earlier);
  for (int round = 0; round < 100; ++round) {
    auto a = Worker("a");
    ASSERT_EQ(Subscribe(SIGUSR1, a), "");
    raise(SIGUSR1);
    ASSERT_TRUE(Unsubscribe(SIGUSR1, a).was_subscribed);
    raise(SIGUSR1);
  }
  EXPECT_EQ(earlier_runs, 100);
  EXPECT_LE(trace_->events().size(), 100u);
}

// -- somebody else's handler: V55, V56 ----------------------------------------

TEST_F(SignalLeaseTest, UnsubscribeSaysThatAStrangersHandlerStays) {
  auto a = Worker("a"), b = Worker("b");
  ASSERT_EQ(Subscribe(SIGUSR1, a), "");
  ASSERT_EQ(Subscribe(SIGUSR1, b), "");
  signal(SIGUSR1, &Stranger);
  EXPECT_TRUE(Unsubscribe(SIGUSR1, a).restored.ok());  // b's lease lasts
  const Unsubscribed last = Unsubscribe(SIGUSR1, b);
  EXPECT_TRUE(last.was_subscribed);
  EXPECT_TRUE(absl::IsFailedPrecondition(last.restored));
  EXPECT_EQ(last.restored.message(), kKept);
  Clean(SIGUSR1);
}

TEST_F(SignalLeaseTest, TheOwnerIsToldWhenADeadObserverLeavesAHandler) {
  ReplaceRelay(Owner());
  auto a = Worker("a");
  ASSERT_EQ(Subscribe(SIGUSR1, a), "");
  ASSERT_EQ(Subscribe(SIGUSR2, a), "");
  signal(SIGUSR1, &Stranger);
  caf::anon_send_exit(a, caf::exit_reason::kill);
  ASSERT_TRUE(trace_->WaitFor(absl::StrCat("kept ", SIGUSR1, ": ", kKept)));
  EXPECT_EQ(trace_->events().size(), 1u);
  Clean(SIGUSR1);
}

TEST_F(SignalLeaseTest, TheOwnerIsToldWhenNobodyWaitsForTheAnswer) {
  ReplaceRelay(Owner());
  auto a = Worker("a");
  ASSERT_EQ(Subscribe(SIGUSR1, a), "");
  signal(SIGUSR1, &Stranger);
  caf::anon_send(relay_, UnsubscribeFromSignal{SIGUSR1, a});
  ASSERT_TRUE(trace_->WaitFor(absl::StrCat("kept ", SIGUSR1, ": ", kKept)));
  Clean(SIGUSR1);
}

TEST_F(SignalLeaseTest, TheOwnerIsToldWhenTheRelayIsKilled) {
  ReplaceRelay(Owner());
  auto a = Worker("a");
  ASSERT_EQ(Subscribe(SIGUSR1, a), "");
  signal(SIGUSR1, &Stranger);
  caf::anon_send_exit(relay_, caf::exit_reason::kill);
  ASSERT_TRUE(trace_->WaitFor(absl::StrCat("kept ", SIGUSR1, ": ", kKept)));
  Clean(SIGUSR1);
}

TEST_F(SignalLeaseTest, WithoutAnOwnerStderrIsTold) {
  auto a = Worker("a");
  ASSERT_EQ(Subscribe(SIGUSR1, a), "");
  signal(SIGUSR1, &Stranger);
  testing::internal::CaptureStderr();
  caf::anon_send_exit(a, caf::exit_reason::kill);
  io_->Stop();
  EXPECT_EQ(testing::internal::GetCapturedStderr(),
            absl::StrCat("troupe: ", kKept, "\n"));
  Clean(SIGUSR1);
}

// -- CloseSignalRelay: S7 -----------------------------------------------------

TEST_F(SignalLeaseTest, ClosedItHasRestoredEverythingAndSaysWhatItCouldNot) {
  Set(SIGUSR2, SIG_IGN);
  auto a = Worker("a");
  for (int number : {SIGUSR1, SIGUSR2, SIGTERM}) {
    ASSERT_EQ(Subscribe(number, a), "");
  }
  signal(SIGUSR1, &Stranger);
  const SignalRelayClosed closed = Close();
  ASSERT_EQ(closed.kept.size(), 1u);
  EXPECT_EQ(closed.kept[0].number, SIGUSR1);
  EXPECT_EQ(closed.kept[0].why.message(), kKept);
  EXPECT_EQ(DispositionOf(SIGUSR2), SIG_IGN);
  EXPECT_EQ(DispositionOf(SIGTERM), SIG_DFL);
  EXPECT_THAT(Close().kept, IsEmpty());
  Clean(SIGUSR1);
}

TEST_F(SignalLeaseTest, ClosedItRefusesInAsynciosWords) {
  auto a = Worker("a");
  ASSERT_EQ(Subscribe(SIGUSR1, a), "");
  Close();
  EXPECT_THAT(Subscribe(SIGUSR1, a),
              ::testing::StartsWith("Event loop is closed"));
  EXPECT_EQ(Subscribe(0, a), "invalid signal number 0");  // S1: checked first
  const Unsubscribed answer = Unsubscribe(SIGUSR1, a);
  EXPECT_FALSE(answer.was_subscribed);
  EXPECT_TRUE(answer.restored.ok());
  EXPECT_EQ(DispositionOf(SIGUSR1), SIG_DFL);
}

// At once, while the old one has handles and observers.
TEST_F(SignalLeaseTest, ClosedItLeavesItsPlaceToAnother) {
  auto a = Worker("a"), b = Worker("b");
  SignalRelay old = relay_;
  for (int round = 0; round < 20; ++round) {
    ASSERT_EQ(Subscribe(SIGUSR1, a), "");
    ReplaceRelay({});
  }
  ASSERT_EQ(Subscribe(SIGUSR1, b), "");
  raise(SIGUSR1);
  ASSERT_TRUE(trace_->WaitFor(absl::StrCat("b ", SIGUSR1)));
  caf::anon_send_exit(a, caf::exit_reason::kill);  // concerns no relay now
  ASSERT_EQ(Subscribe(SIGUSR2, b), "");
  EXPECT_EQ(trace_->events().size(), 1u);
}

TEST_F(SignalLeaseTest, ClosedItEndsWithItsLastHandle) {
  auto a = Worker("a");
  ASSERT_EQ(Subscribe(SIGUSR1, a), "");
  caf::scoped_actor self(*system_);
  self->monitor(relay_);
  Close();
  relay_ = SignalRelay();
  bool ended = false;
  self->receive([&](const caf::down_msg&) { ended = true; });
  EXPECT_TRUE(ended);
}

// Before its watch stands.
TEST_F(SignalLeaseTest, MayBeClosedAtOnce) {
  Close();
  WhileIoStandsStill([&] {
    relay_ = New();
    caf::anon_send(relay_, CloseSignalRelay{});
  });
  caf::scoped_actor self(*system_);
  self->monitor(relay_);
  relay_ = SignalRelay();
  self->receive([&](const caf::down_msg&) {});
  relay_ = New();
}

}  // namespace
}  // namespace troupe
