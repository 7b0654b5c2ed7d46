// Signal handlers of a loop.
#include <poll.h>
#include <signal.h>

#include <atomic>
#include <stdexcept>
#include <string>
#include <thread>

#include "absl/strings/str_cat.h"
#include "actors/loop.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/actors/loop_signals_fixture.h"

namespace troupe {
namespace {

using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::SizeIs;

// Row S1.
TEST_F(LoopSignalsTest, RunACallbackWithTheWholeLoopAtHand) {
  CallHandle handle = loop_->AddSignalHandler(
      SIGUSR1, Says("signal", [&] { loop_->CallSoon(SaysAndStops("soon")); }));
  EXPECT_TRUE(handle.status().ok());
  loop_->CallSoon([] { Raise(SIGUSR1); });
  Run();
  EXPECT_THAT(told_, ElementsAre("signal", "soon"));
  EXPECT_TRUE(loop_->RemoveSignalHandler(SIGUSR1));
}

// When AddSignalHandler returns, the signal is caught: it would end us.
TEST_F(LoopSignalsTest, AreInPlaceWhenAddReturns) {
  for (int i = 0; i < 20; ++i) {
    ASSERT_TRUE(loop_->AddSignalHandler(SIGUSR1, Says("x")).status().ok());
    Raise(SIGUSR1);
    ASSERT_TRUE(loop_->RemoveSignalHandler(SIGUSR1));
  }
}

// Rows S3, S4, S5.
TEST_F(LoopSignalsTest, RefuseWhatCannotBeCaughtWithAsynciosTexts) {
  for (int number : {0, -1, 32, 33, 65}) {
    EXPECT_EQ(loop_->AddSignalHandler(number, Says("x")).status().message(),
              absl::StrCat("invalid signal number ", number));
    EXPECT_FALSE(loop_->RemoveSignalHandler(number));
  }
  EXPECT_EQ(loop_->AddSignalHandler(SIGKILL, Says("x")).status().message(),
            "sig 9 cannot be caught");
  EXPECT_EQ(loop_->AddSignalHandler(SIGSTOP, Says("x")).status().message(),
            "sig 19 cannot be caught");
}

// Row S6: legal from any thread that runs the loop.
TEST_F(LoopSignalsTest, MayBeAddedOnAnyThreadThatRunsTheLoop) {
  std::thread([&] {
    loop_->AddSignalHandler(SIGUSR1, SaysAndStops("signal"));
    loop_->CallSoon([] { Raise(SIGUSR1); });
    Run();
  }).join();
  EXPECT_THAT(told_, ElementsAre("signal"));
}

// Row S8.
TEST_F(LoopSignalsTest, AreReplacedByASecondAdd) {
  CallHandle old = loop_->AddSignalHandler(SIGUSR1, Says("old"));
  loop_->AddSignalHandler(SIGUSR1, SaysAndStops("new"));
  EXPECT_TRUE(old.cancelled());
  Raise(SIGUSR1);
  Run();
  EXPECT_THAT(told_, ElementsAre("new"));
}

// Row S9: and gives back what was there before.
TEST_F(LoopSignalsTest, AreRemovedOnce) {
  EXPECT_FALSE(loop_->RemoveSignalHandler(SIGUSR1));
  loop_->AddSignalHandler(SIGUSR1, Says("x"));
  EXPECT_FALSE(IsDefault(SIGUSR1));
  EXPECT_TRUE(loop_->RemoveSignalHandler(SIGUSR1));
  EXPECT_TRUE(IsDefault(SIGUSR1));
  EXPECT_FALSE(loop_->RemoveSignalHandler(SIGUSR1));
}

// Rows S7, S10.
TEST_F(LoopSignalsTest, AreRemovedWhenTheLoopIsClosed) {
  loop_->AddSignalHandler(SIGUSR1, Says("x"));
  loop_->AddSignalHandler(SIGUSR2, Says("x"));
  ASSERT_TRUE(loop_->Close().ok());
  EXPECT_TRUE(IsDefault(SIGUSR1));
  EXPECT_TRUE(IsDefault(SIGUSR2));
}

// Row S11: one callback for each run of the handler, in order.
TEST_F(LoopSignalsTest, RunOnceForEachSignal) {
  loop_->AddSignalHandler(SIGUSR1, Says("u1"));
  loop_->AddSignalHandler(SIGUSR2, Says("u2"));
  Raise(SIGUSR1, 5);
  Raise(SIGUSR2);
  Raise(SIGUSR1);
  RunUntilTold(7);
  EXPECT_THAT(told_, ElementsAre("u1", "u1", "u1", "u1", "u1", "u2", "u1"));
}

// Rows L10, S12: calls from other threads take no room from signals.
TEST_F(LoopSignalsTest, AreNotLostAmongCallsAndOtherSignals) {
  int calls = 0;
  loop_->AddSignalHandler(SIGUSR1, Says("u1"));
  for (int i = 0; i < 2000; ++i) {
    loop_->CallSoonThreadsafe([&] { ++calls; });
    Raise(SIGUSR1);
  }
  RunUntilTold(2000);
  EXPECT_THAT(told_, SizeIs(2000));
  EXPECT_EQ(calls, 2000);
}

// Row S13: the iteration after the signal hears of it, the next one runs it.
TEST_F(LoopSignalsTest, RunInTheSecondIterationAfterTheSignal) {
  loop_->AddSignalHandler(SIGUSR1, SaysAndStops("sig"));
  auto later = Says("later", [&] { loop_->CallSoon(Says("too late")); });
  auto soon1 = Says("soon1", [&] { loop_->CallSoon(later); });
  loop_->CallSoon(Says("kick", [&] {
    Raise(SIGUSR1);
    loop_->CallSoon(soon1);
  }));
  loop_->CallSoon(Says("again", [&] { loop_->CallSoon(Says("soon2")); }));
  Run();
  EXPECT_THAT(told_,
              ElementsAre("kick", "again", "soon1", "soon2", "later", "sig"));
}

// Row S14.
TEST_F(LoopSignalsTest, WakeALoopThatSleeps) {
  loop_->AddSignalHandler(SIGUSR1, SaysAndStops("signal"));
  std::atomic<bool> running{false};
  std::thread other([&] {
    while (!running) {
    }
    Raise(SIGUSR1);
  });
  loop_->CallSoon([&] { running = true; });
  Run();
  other.join();
  EXPECT_THAT(told_, ElementsAre("signal"));
}

// A loop that another one hosts (S14).
TEST_F(LoopSignalsTest, MakeTheDescriptorOfALoopThatDoesNotRunReadable) {
  loop_->AddSignalHandler(SIGUSR1, Says("signal"));
  const auto readable = [&] {
    pollfd fd{loop_->fd(), POLLIN, 0};
    return poll(&fd, 1, 0) == 1;
  };
  while (readable()) ASSERT_TRUE(loop_->RunOnce(/*may_sleep=*/false).ok());
  Raise(SIGUSR1);
  for (int i = 0; i < 2 && readable(); ++i) {
    ASSERT_TRUE(loop_->RunOnce(/*may_sleep=*/false).ok());
  }
  EXPECT_THAT(told_, ElementsAre("signal"));
  EXPECT_FALSE(readable());
}

// Row S15: what is on its way when the handler is removed does not run. (In
// asyncio a callback that was queued already does.)
TEST_F(LoopSignalsTest, DoNotRunOnceTheyAreRemoved) {
  loop_->AddSignalHandler(SIGUSR1, Says("x", [&] {
                            EXPECT_TRUE(loop_->RemoveSignalHandler(SIGUSR1));
                          }));
  loop_->AddSignalHandler(SIGUSR2, SaysAndStops("end"));
  Raise(SIGUSR1, 2);
  Raise(SIGUSR2);
  Run();
  EXPECT_THAT(told_, ElementsAre("x", "end"));
}

// Row S16.
TEST_F(LoopSignalsTest, MayThrow) {
  loop_->AddSignalHandler(SIGUSR1, [] { throw std::runtime_error("boom"); });
  loop_->AddSignalHandler(SIGUSR2, SaysAndStops("went on"));
  Raise(SIGUSR1);
  Raise(SIGUSR2);
  Run();
  EXPECT_THAT(told_, ElementsAre("went on"));
  ASSERT_THAT(log_, SizeIs(1));
  EXPECT_THAT(log_[0], ::testing::StartsWith("Exception in callback"));
}

// Row S17.
TEST_F(LoopSignalsTest, AreRemovedWhenTheirHandleWasCancelled) {
  CallHandle handle = loop_->AddSignalHandler(SIGUSR1, Says("x"));
  loop_->AddSignalHandler(SIGUSR2, SaysAndStops("end"));
  EXPECT_TRUE(handle.Cancel());
  Raise(SIGUSR1);
  Raise(SIGUSR2);
  Run();
  EXPECT_THAT(told_, ElementsAre("end"));
  EXPECT_FALSE(loop_->RemoveSignalHandler(SIGUSR1));
  EXPECT_TRUE(IsDefault(SIGUSR1));
}

// Row S19: both loops hear it, and closing one takes nothing from the other.
TEST_F(LoopSignalsTest, AreSharedByLoops) {
  auto other = NewLoop();
  int others = 0;
  loop_->AddSignalHandler(SIGUSR1, Says("one"));
  other->AddSignalHandler(SIGUSR1, [&] {
    ++others;
    other->Stop();
  });
  Raise(SIGUSR1);
  RunUntilTold(1);
  ASSERT_TRUE(other->RunForever().ok());
  EXPECT_EQ(others, 1);
  other.reset();
  Raise(SIGUSR1);
  RunUntilTold(2);
  EXPECT_THAT(told_, Each("one"));
}

// Row S20.
TEST_F(LoopSignalsTest, TakeEverySignalThatCanBeCaught) {
  for (int number : {SIGSEGV, SIGFPE, SIGILL, SIGCHLD, SIGPIPE, SIGRTMAX}) {
    loop_->AddSignalHandler(number, Says(std::to_string(number)));
    Raise(number);
    RunUntilTold(1);
    EXPECT_THAT(told_, ElementsAre(std::to_string(number)));
    loop_->RemoveSignalHandler(number);
    told_.clear();
  }
}

// Row S2.
TEST_F(LoopSignalsTest, RefuseACallbackOfNothing) {
  EXPECT_EQ(loop_->AddSignalHandler(SIGUSR1, Callback()).status().message(),
            "a callable object was expected by AddSignalHandler(), got "
            "nothing");
  EXPECT_TRUE(IsDefault(SIGUSR1));
}

}  // namespace
}  // namespace troupe
