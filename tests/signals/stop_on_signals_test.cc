// V59, A18: a program is asked once, then forced.
#include "signals/stop_on_signals.h"

#include <signal.h>

#include <memory>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "caf/exit_reason.hpp"
#include "caf/send.hpp"
#include "caf/typed_event_based_actor.hpp"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/signals/relay_fixture.h"

namespace troupe {
namespace {

using ::testing::ElementsAre;

StopObserver::behavior_type Observer(StopObserver::pointer,
                                     std::shared_ptr<Trace> trace) {
  return {
      [=](const StopOnSignalsReady& ready) {
        trace->Add(absl::StrCat("ready: ", ready.status.ToString()));
      },
      [=](const StopRequested& stop) {
        trace->Add(absl::StrCat("requested by ", stop.signal.name));
      },
      [=](const StopForced& stop) {
        const bool second = stop.why == StopCause::kSecondSignal;
        trace->Add(absl::StrCat("forced by ", second ? "" : "the deadline of ",
                                stop.signal.name));
      },
  };
}

class StopOnSignalsTest : public SignalRelayTest {
 protected:
  StopOnSignalsTest()
      : observer_(system_->spawn<caf::hidden>(Observer, trace_)) {}

  // Nothing depends on how fast this machine is.
  static StopOnSignalsOptions Options() {
    return {.signals = {SIGUSR1, SIGUSR2},
            .one_press = absl::ZeroDuration(),
            .deadline = absl::InfiniteDuration()};
  }
  caf::actor Listen(StopOnSignalsOptions options) {
    caf::actor stop =
        SpawnStopOnSignals(host(), io(), relay_, std::move(options), observer_);
    EXPECT_TRUE(trace_->WaitFor("ready: OK"));
    return stop;
  }

  StopObserver observer_;
};

TEST_F(StopOnSignalsTest, TheFirstSignalAsksAndTheSecondForces) {
  Listen(Options());
  raise(SIGUSR1);
  ASSERT_TRUE(trace_->WaitFor("requested by SIGUSR1"));
  raise(SIGUSR2);
  ASSERT_TRUE(trace_->WaitFor("forced by SIGUSR2"));
  EXPECT_THAT(trace_->events(), ElementsAre("ready: OK", "requested by SIGUSR1",
                                            "forced by SIGUSR2"));
}

TEST_F(StopOnSignalsTest, ByDefaultItListensToCtrlCAndSigterm) {
  Set(SIGTERM, &Earlier);
  Set(SIGINT, &Earlier);
  Listen({});
  raise(SIGINT);
  ASSERT_TRUE(trace_->WaitFor("requested by SIGINT"));
  raise(SIGTERM);
  EXPECT_EQ(earlier_runs, 0);
  io_->Stop();
  Set(SIGTERM, SIG_DFL);
  Set(SIGINT, SIG_DFL);
}

// One Ctrl-C under timeout(1) arrives twice.
TEST_F(StopOnSignalsTest, OnePressOfAKeyIsOneSignal) {
  StopOnSignalsOptions options = Options();
  options.one_press = absl::Hours(1);
  options.deadline = absl::Milliseconds(20);
  Listen(options);
  raise(SIGUSR1);
  raise(SIGUSR1);
  ASSERT_TRUE(trace_->WaitFor("forced by the deadline of SIGUSR1"));
  EXPECT_EQ(trace_->events().size(), 3u);
}

TEST_F(StopOnSignalsTest, TheDeadlineRunsFromTheRequestOn) {
  StopOnSignalsOptions options = Options();
  options.deadline = absl::ZeroDuration();
  Listen(options);
  WaitForTimer(*io_, absl::Milliseconds(5));
  EXPECT_EQ(trace_->events().size(), 1u);
  raise(SIGUSR2);
  ASSERT_TRUE(trace_->WaitFor("forced by the deadline of SIGUSR2"));
}

TEST_F(StopOnSignalsTest, TheDeadlineHoldsWithoutARelay) {
  StopOnSignalsOptions options = Options();
  options.deadline = absl::Milliseconds(20);
  Listen(options);
  raise(SIGUSR1);
  ASSERT_TRUE(trace_->WaitFor("requested by SIGUSR1"));
  Close();
  ASSERT_TRUE(trace_->WaitFor("forced by the deadline of SIGUSR1"));
}

// The third Ctrl-C ends a program that hangs.
TEST_F(StopOnSignalsTest, OnceForcedItGivesItsSignalsBack) {
  Set(SIGUSR1, &Earlier);
  Listen(Options());
  raise(SIGUSR1);
  raise(SIGUSR1);
  ASSERT_TRUE(trace_->WaitFor("forced by SIGUSR1"));
  WaitForDisposition(SIGUSR1, &Earlier);
  WaitForDisposition(SIGUSR2, SIG_DFL);
  raise(SIGUSR1);
  EXPECT_EQ(earlier_runs, 1);
}

TEST_F(StopOnSignalsTest, SaysWhyItCannotListenAndListensToNothing) {
  StopOnSignalsOptions options = Options();
  options.signals = {SIGUSR1, SIGKILL, 33, SIGUSR2};
  SpawnStopOnSignals(host(), io(), relay_, options, observer_);
  ASSERT_TRUE(
      trace_->WaitFor("ready: FAILED_PRECONDITION: sig 9 cannot be caught"));
  WaitForDisposition(SIGUSR1, SIG_DFL);
  WaitForDisposition(SIGUSR2, SIG_DFL);
  EXPECT_EQ(trace_->events().size(), 1u);
}

TEST_F(StopOnSignalsTest, EndsWithItsObserver) {
  Listen(Options());
  caf::anon_send_exit(observer_, caf::exit_reason::kill);
  WaitForDisposition(SIGUSR1, SIG_DFL);
  WaitForDisposition(SIGUSR2, SIG_DFL);
}

TEST_F(StopOnSignalsTest, EndsWhenItIsToldTo) {
  caf::anon_send_exit(Listen(Options()), caf::exit_reason::user_shutdown);
  WaitForDisposition(SIGUSR1, SIG_DFL);
  WaitForDisposition(SIGUSR2, SIG_DFL);
}

}  // namespace
}  // namespace troupe
