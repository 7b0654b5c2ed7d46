// A loop as an actor: its messages.
#include <chrono>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "actors/loop.h"
#include "actors/loop_messages.h"
#include "caf/actor_cast.hpp"
#include "caf/event_based_actor.hpp"
#include "caf/scoped_actor.hpp"
#include "caf/typed_event_based_actor.hpp"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "io/resident.h"
#include "io/status_error.h"
#include "io/virtual_clock.h"
#include "tests/support/descriptors.h"
#include "tests/support/loop_fixture.h"

namespace troupe {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class LoopActorTest : public LoopFixture {
 protected:
  // Sends from a thread that is not the loop's.
  template <class... Ts>
  void Send(Ts... messages) {
    std::thread([&] {
      (caf::anon_send(loop_->actor(), std::move(messages)), ...);
    }).join();
  }

  // Asks the loop from a thread of its own, while the loop runs.
  template <class Answer, class Request>
  absl::StatusOr<Answer> Ask(Request request) {
    absl::StatusOr<Answer> outcome = absl::UnknownError("not answered");
    std::thread asker([&] {
      caf::scoped_actor self(*actors_);
      self->request(loop_->actor(), caf::infinite, std::move(request))
          .receive([&](const Answer& answer) { outcome = answer; },
                   [&](const caf::error& why) { outcome = StatusOf(why); });
      loop_->Stop();
    });
    Run();
    asker.join();
    return outcome;
  }

  // An actor on a worker that writes down the numbers it is sent.
  caf::actor NewListener(int until) {
    return actors_->spawn<caf::hidden>([=, this](caf::event_based_actor* self) {
      return caf::behavior{[=, this](int number) {
        loop_->CallSoonThreadsafe(Says(
            std::to_string(number), number == until ? [this] { loop_->Stop(); }
                                                    : std::function<void()>()));
        if (number == until) self->quit();
      }};
    });
  }
};

TEST_F(LoopActorTest, RunsCallbacksThatComeAsMessagesInOrder) {
  Send(CallSoon{Says("a")}, CallSoon{Says("b")}, CallSoon{SaysAndStops("c")});
  Run();
  EXPECT_THAT(told_, ElementsAre("a", "b", "c"));
}

TEST_F(LoopActorTest, RunsTimersThatComeAsMessages) {
  VirtualClock clock;  // no time passes between the two
  loop_ = NewLoop(&clock);
  Send(CallLater{absl::Milliseconds(2), SaysAndStops("late")},
       CallLater{absl::Milliseconds(1), Says("early")});
  Run();
  EXPECT_THAT(told_, ElementsAre("early", "late"));
  loop_.reset();
}

TEST_F(LoopActorTest, CancelsATimerByItsName) {
  TimerId timer = TimerId::Next();
  Send(CallLater{absl::Hours(1), Says("never"), timer});
  EXPECT_TRUE(Ask<CallCancelled>(CancelCall{timer})->was_waiting);
  EXPECT_FALSE(Ask<CallCancelled>(CancelCall{timer})->was_waiting);
  EXPECT_EQ(loop_->Metrics().timers, 0u);
}

TEST_F(LoopActorTest, ForgetsANamedTimerThatHasRun) {
  TimerId timer = TimerId::Next();
  Send(CallLater{absl::Microseconds(1), SaysAndStops("ran"), timer});
  Run();
  EXPECT_FALSE(Ask<CallCancelled>(CancelCall{timer})->was_waiting);
}

TEST_F(LoopActorTest, ReplacesATimerOfTheSameName) {
  TimerId timer = TimerId::Next();
  Send(CallLater{absl::Hours(1), Says("first"), timer},
       CallLater{absl::Milliseconds(1), SaysAndStops("second"), timer});
  Run();
  EXPECT_THAT(told_, ElementsAre("second"));
  EXPECT_EQ(loop_->Metrics().timers, 0u);
}

// A bug of ours: they went on with what was the actor's.
TEST_F(LoopActorTest, TakesItsNamedTimersAlongWhenItIsEnded) {
  Send(CallLater{absl::Milliseconds(1), Says("named"), TimerId::Next()},
       CallLater{absl::Milliseconds(2), SaysAndStops("nameless")});
  caf::anon_send_exit(loop_->actor(), caf::exit_reason::kill);
  Run();
  EXPECT_THAT(told_, ElementsAre("nameless"));
}

TEST_F(LoopActorTest, SendsAMessageAfterADelay) {
  caf::actor listener = NewListener(1);
  const absl::Duration due = loop_->Time() + absl::Milliseconds(2);
  loop_->SendLater(absl::Milliseconds(2), listener, 1);
  Run();
  EXPECT_GE(loop_->Time(), due);
  Send(SendLater{absl::Milliseconds(1),
                 caf::actor_cast<caf::strong_actor_ptr>(NewListener(2)),
                 caf::make_message(2)});
  Run();
  EXPECT_THAT(told_, ElementsAre("1", "2"));
}

TEST_F(LoopActorTest, SendsAMessageAgainAndAgain) {
  caf::actor listener = NewListener(7);
  TimerId timer = TimerId::Next();
  Send(SendLater{absl::Milliseconds(1),
                 caf::actor_cast<caf::strong_actor_ptr>(listener),
                 caf::make_message(5), timer, absl::Milliseconds(1)});
  RunUntil([&] { return told_.size() >= 3; });
  EXPECT_TRUE(Ask<CallCancelled>(CancelCall{timer})->was_waiting);
  CallHandle ticks = loop_->SendEvery(absl::Milliseconds(1), listener, 7);
  Run();
  ticks.Cancel();
  EXPECT_EQ(told_[0], "5");
  EXPECT_EQ(told_.back(), "7");
}

TEST_F(LoopActorTest, IsStoppedByAMessage) {
  Send(StopLoop{});
  Run();
}

TEST_F(LoopActorTest, TellsWhatItHasDone) {
  auto [in, out] = MakePipe();
  loop_->AddReader(in.get(), Says("x"));
  loop_->CallLater(absl::Hours(1), Says("x"));
  loop_->CallSoon(Says("a"));
  auto metrics = Ask<LoopMetrics>(GetLoopMetrics{});
  ASSERT_TRUE(metrics.ok());
  EXPECT_GE(metrics->iterations, 1u);
  EXPECT_GE(metrics->callbacks, 1u);
  EXPECT_EQ(metrics->timers, 1u);
  EXPECT_EQ(metrics->descriptors, 1u);
  loop_->RemoveReader(in.get());
}

// An actor to tell instead of a callback: FdReady once for each ArmWatch.
class LoopWatchTest : public LoopActorTest {
 protected:
  FdObserver NewObserver(WatchId* watch) {
    return SpawnResident<caf::hidden>(
        loop_->host(),
        [=,
         this](Resident<FdObserver::base>* self) -> FdObserver::behavior_type {
          return {[=, this](const FdReady& ready) {
                    *watch = ready.watch;
                    told_.push_back(ready.side == Side::kRead ? "r" : "w");
                  },
                  [=, this](const WatchEnded&) {
                    told_.push_back("ended");
                    self->quit();
                  }};
        });
  }
  void Iterate(int times) {
    for (int i = 0; i < times; ++i) ASSERT_TRUE(loop_->RunOnce().ok());
  }
};

TEST_F(LoopWatchTest, TellsAnActorOncePerArm) {
  auto [in, out] = MakePipe();
  WatchId watch;
  FdObserver observer = NewObserver(&watch);
  auto started = Ask<WatchStarted>(AddReader{in.get(), observer});
  ASSERT_TRUE(started.ok()) << started.status();
  WriteFully(out, "x");
  Iterate(3);
  EXPECT_THAT(told_, ElementsAre("r"));
  EXPECT_EQ(watch, started->watch);
  Send(ArmWatch{watch, Side::kRead});
  Iterate(3);
  EXPECT_THAT(told_, ElementsAre("r", "r"));
  EXPECT_TRUE(Ask<Removed>(RemoveReader{in.get()})->was_there);
  EXPECT_FALSE(Ask<Removed>(RemoveReader{in.get()})->was_there);
}

TEST_F(LoopWatchTest, LetsACallbackAndAnActorShareADescriptor) {
  auto [ours, theirs] = MakeSocketPair();
  WatchId watch;
  FdObserver observer = NewObserver(&watch);
  loop_->AddReader(ours.get(), Says("callback"));
  ASSERT_TRUE(Ask<WatchStarted>(AddWriter{ours.get(), observer}).ok());
  Iterate(2);
  EXPECT_THAT(told_, ElementsAre("w"));
  WriteFully(theirs, "x");
  told_.clear();
  Iterate(2);
  EXPECT_THAT(told_, ElementsAre("callback", "callback"));
  EXPECT_TRUE(Ask<Removed>(RemoveWriter{ours.get()})->was_there);
  loop_->RemoveReader(ours.get());
}

TEST_F(LoopWatchTest, ForgetsAnActorThatEnds) {
  auto [in, out] = MakePipe();
  WatchId watch;
  FdObserver observer = NewObserver(&watch);
  ASSERT_TRUE(Ask<WatchStarted>(AddReader{in.get(), observer}).ok());
  EXPECT_EQ(loop_->Metrics().descriptors, 1u);
  caf::anon_send_exit(observer, caf::exit_reason::user_shutdown);
  RunUntil([&] { return loop_->Metrics().descriptors == 0; });
}

// One that was replaced does not take its successor along.
TEST_F(LoopWatchTest, KeepsTheSuccessorOfAnActorThatEnds) {
  auto [in, out] = MakePipe();
  WatchId watch;
  FdObserver observer = NewObserver(&watch);
  ASSERT_TRUE(Ask<WatchStarted>(AddReader{in.get(), observer}).ok());
  loop_->AddReader(in.get(), Says("callback"));
  caf::anon_send_exit(observer, caf::exit_reason::user_shutdown);
  RunUntil([&] {
    return HasEnded(caf::actor_cast<caf::strong_actor_ptr>(observer));
  });
  Iterate(2);
  WriteFully(out, "x");
  Iterate(1);
  EXPECT_THAT(told_, ElementsAre("callback"));
  loop_->RemoveReader(in.get());
}

// A bug of ours: one that lived elsewhere waited for ever.
TEST_F(LoopWatchTest, TellsAnActorElsewhereThatTheLoopIsClosed) {
  auto [in, out] = MakePipe();
  caf::scoped_actor ended(*actors_);
  FdObserver observer = actors_->spawn<caf::hidden>(
      [to = caf::actor(ended)](
          FdObserver::pointer self) -> FdObserver::behavior_type {
        return {[](const FdReady&) {},
                [=](const WatchEnded& fact) {
                  caf::anon_send(to, std::string(fact.why.message()));
                  self->quit();
                }};
      });
  ASSERT_TRUE(loop_->AddReader(in.get(), observer).ok());
  ASSERT_TRUE(loop_->Close().ok());
  ended->receive(
      [](const std::string& why) {
        EXPECT_EQ(why, "the I/O actor was stopped");
      },
      caf::after(std::chrono::seconds(20)) >> [] { FAIL(); });
}

TEST_F(LoopWatchTest, AnswersWithATypedErrorWhatCannotBeWatched) {
  WatchId watch;
  FdObserver observer = NewObserver(&watch);
  EXPECT_EQ(Ask<WatchStarted>(AddReader{-1, observer}).status().message(),
            "Invalid file descriptor: -1");
  EXPECT_EQ(Ask<WatchStarted>(AddReader{0, {}}).status().message(),
            "a watch without observer");
}

}  // namespace
}  // namespace troupe
