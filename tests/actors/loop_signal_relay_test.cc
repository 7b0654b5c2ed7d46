// Signal handlers of a loop and the relay that keeps their leases.
#include <signal.h>

#include <future>
#include <thread>

#include "absl/status/status.h"
#include "actors/loop.h"
#include "caf/exit_reason.hpp"
#include "caf/scoped_actor.hpp"
#include "caf/send.hpp"
#include "caf/typed_event_based_actor.hpp"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "io/io_messages.h"
#include "io/resident.h"
#include "signals/signal_pipe.h"
#include "tests/actors/loop_signals_fixture.h"

namespace troupe {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

// Row S13: on no other thread's account. The I/O thread stands still.
TEST_F(LoopSignalsTest, ComeWithoutTheSystemsThread) {
  loop_->AddSignalHandler(SIGUSR1, SaysAndStops("sig"));
  std::promise<void> begun, over;
  auto still = SpawnResident<caf::hidden>(
      system_->io().host(), [&](Resident<TimerObserver::base>* self) {
        begun.set_value();
        over.get_future().wait();
        self->quit();
        return TimerObserver::behavior_type{[](const TimerFired&) {}};
      });
  begun.get_future().wait();
  Raise(SIGUSR1);
  Run();
  over.set_value();
  caf::scoped_actor(*actors_)->wait_for(still);  // it uses our promises
  EXPECT_THAT(told_, ElementsAre("sig"));
}

// A bug of ours: it was taken for caught, and the signal ended the program.
TEST_F(LoopSignalsTest, AreCaughtAnewWhenTheirRelayHasEnded) {
  loop_->AddSignalHandler(SIGUSR1, Says("old"));
  SignalRelay relay = *system_->Signals();
  caf::anon_send_exit(relay, caf::exit_reason::kill);
  caf::scoped_actor(*actors_)->wait_for(relay);
  ASSERT_TRUE(IsDefault(SIGUSR1));
  EXPECT_TRUE(loop_->AddSignalHandler(SIGUSR1, Says("new")).status().ok());
  ASSERT_FALSE(IsDefault(SIGUSR1));
  Raise(SIGUSR1);
  RunUntilTold(1);
  EXPECT_THAT(told_, ElementsAre("new"));
  EXPECT_TRUE(loop_->RemoveSignalHandler(SIGUSR1));
  EXPECT_TRUE(IsDefault(SIGUSR1));
}

// A bug of ours: the others were gone for good.
TEST_F(LoopSignalsTest, GoOnWithANewRelayWhenTheirsIsKilled) {
  loop_->AddSignalHandler(SIGUSR1, Says("u1"));
  loop_->AddSignalHandler(SIGUSR2, Says("u2"));
  for (int round = 0; round < 20; ++round) {
    SignalRelay relay = *system_->Signals();
    caf::anon_send_exit(relay, caf::exit_reason::kill);
    caf::scoped_actor(*actors_)->wait_for(relay);
    RunUntil([] { return !IsDefault(SIGUSR1) && !IsDefault(SIGUSR2); });
    Raise(SIGUSR1);
    Raise(SIGUSR2);
    RunUntilTold(2);
    ASSERT_THAT(told_, ElementsAre("u1", "u2"));
    told_.clear();
  }
  EXPECT_THAT(log_, IsEmpty());
}

// Another pipe than the system's has taken the place of the relay.
TEST_F(LoopSignalsTest, AreReportedWhenANewRelayCannotBeHad) {
  CallHandle handle = loop_->AddSignalHandler(SIGUSR1, Says("x"));
  SignalRelay relay = *system_->Signals();
  caf::anon_send_exit(relay, caf::exit_reason::kill);
  caf::scoped_actor(*actors_)->wait_for(relay);
  auto pipe = SignalPipe::Create();
  ASSERT_TRUE(pipe.ok()) << pipe.status();
  RunUntil([&] { return !log_.empty(); });
  EXPECT_THAT(log_, ElementsAre(::testing::StartsWith(
                        "Signal handler for 10 lost: this process has a signal "
                        "pipe already")));
  EXPECT_TRUE(handle.cancelled());
  EXPECT_FALSE(loop_->RemoveSignalHandler(SIGUSR1));
}

// It would wait for itself: the relay lives on the system's thread.
TEST_F(LoopSignalsTest, AreRefusedOnTheThreadOfTheRelay) {
  ASSERT_TRUE(loop_->AddSignalHandler(SIGUSR1, Says("x")).status().ok());
  absl::Status refused;
  bool removed = false;
  auto actor = SpawnResident<caf::hidden>(
      system_->io().host(), [&](Resident<TimerObserver::base>* self) {
        refused = loop_->AddSignalHandler(SIGUSR2, Says("x")).status();
        removed = loop_->RemoveSignalHandler(SIGUSR1);
        self->quit();
        return TimerObserver::behavior_type{[](const TimerFired&) {}};
      });
  caf::scoped_actor(*actors_)->wait_for(actor);
  EXPECT_EQ(refused.message(),
            "AddSignalHandler would wait for its own thread, which runs the "
            "signal relay");
  EXPECT_TRUE(removed);
  while (!IsDefault(SIGUSR1)) std::this_thread::yield();  // by its message
}

}  // namespace
}  // namespace troupe
