// Requests that a loop runs for until they are answered.
#include <memory>
#include <stdexcept>
#include <string>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "actors/loop.h"
#include "caf/typed_event_based_actor.hpp"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "io/resident.h"
#include "io/status_error.h"
#include "tests/support/loop_fixture.h"

namespace troupe {
namespace {

using ::testing::ElementsAre;

using Doubler = caf::typed_actor<caf::replies_to<int>::with<int>>;

// Row L13: a request is the future, its answer the result.
class RunUntilCompleteTest : public LoopFixture {
 protected:
  Doubler NewDoubler() {
    return actors_->spawn<caf::hidden>(
        [](Doubler::pointer) -> Doubler::behavior_type {
          return {[](int number) -> caf::result<int> {
            if (number < 0) {
              return MakeError(absl::InvalidArgumentError("below zero"));
            }
            return 2 * number;
          }};
        });
  }
};

TEST_F(RunUntilCompleteTest, GivesTheAnswer) {
  auto answer = loop_->RunUntilComplete<int>(NewDoubler(), 21);
  ASSERT_TRUE(answer.ok()) << answer.status();
  EXPECT_EQ(*answer, 42);
  EXPECT_FALSE(loop_->IsRunning());
}

TEST_F(RunUntilCompleteTest, GivesTheError) {
  auto answer = loop_->RunUntilComplete<int>(NewDoubler(), -1);
  EXPECT_EQ(answer.status(), absl::InvalidArgumentError("below zero"));
}

TEST_F(RunUntilCompleteTest, AsksAnActorOfItsOwnThread) {
  Doubler doubler = SpawnResident<caf::hidden>(
      loop_->host(), [](Resident<Doubler::base>*) -> Doubler::behavior_type {
        return {[](int number) { return number + 1; }};
      });
  EXPECT_EQ(*loop_->RunUntilComplete<int>(doubler, 1), 2);
}

TEST_F(RunUntilCompleteTest, SaysWhenTheLoopIsStoppedFirst) {
  auto never = SpawnResident<caf::hidden>(
      loop_->host(), [](Resident<Doubler::base>* self) {
        return Doubler::behavior_type{
            [=](int) { return self->make_response_promise<int>(); }};
      });
  loop_->CallSoon([&] { loop_->Stop(); });
  auto answer = loop_->RunUntilComplete<int>(never, 1);
  EXPECT_EQ(answer.status().message(),
            "Event loop stopped before Future completed.");
}

TEST_F(RunUntilCompleteTest, GivesAnErrorWhenThereIsNobodyToAsk) {
  EXPECT_EQ(loop_->RunUntilComplete<int>(Doubler(), 1).status(),
            absl::InvalidArgumentError("no actor to ask"));
}

// Row L13: a late answer stops nothing.
TEST_F(RunUntilCompleteTest, DoesNotStopALaterRunWithALateAnswer) {
  using Slow = caf::typed_actor<caf::replies_to<int>::with<int>,
                                caf::reacts_to<std::string>>;
  auto promise = std::make_shared<caf::typed_response_promise<int>>();
  Slow slow = SpawnResident<caf::hidden>(
      loop_->host(), [=](Resident<Slow::base>* self) {
        return Slow::behavior_type{
            [=](int) {
              *promise = self->make_response_promise<int>();
              return *promise;
            },
            [=](const std::string&) { promise->deliver(7); }};
      });
  loop_->CallLater(absl::Milliseconds(1), [&] { loop_->Stop(); });
  EXPECT_FALSE(loop_->RunUntilComplete<int>(slow, 1).ok());
  caf::anon_send(slow, std::string("answer now"));
  loop_->CallLater(absl::Milliseconds(1), SaysAndStops("ran on"));
  Run();
  EXPECT_THAT(told_, ElementsAre("ran on"));
}

// Row L13, L14.
TEST_F(RunUntilCompleteTest, IsRefusedLikeRunForever) {
  Doubler doubler = NewDoubler();
  loop_->CallSoon([&] {
    EXPECT_EQ(loop_->RunUntilComplete<int>(doubler, 1).status().message(),
              "This event loop is already running");
    loop_->Stop();
  });
  Run();
  ASSERT_TRUE(loop_->Close().ok());
  EXPECT_EQ(loop_->RunUntilComplete<int>(doubler, 1).status().message(),
            "Event loop is closed");
}

// Row L25: a task is an actor; one that ends, or is dead, answers for itself.
TEST_F(RunUntilCompleteTest, GivesAnErrorWhenTheAskedActorEnds) {
  auto mortal = actors_->spawn<caf::hidden>(
      [](Doubler::pointer self) -> Doubler::behavior_type {
        return {[=](int) {
          self->quit();
          return self->make_response_promise<int>();
        }};
      });
  EXPECT_FALSE(loop_->RunUntilComplete<int>(mortal, 1).ok());
  EXPECT_TRUE(
      absl::IsUnavailable(loop_->RunUntilComplete<int>(mortal, 1).status()));
}

// Rows L16, L25: an exception in an actor is its end and the asker's error.
TEST_F(RunUntilCompleteTest, GivesAnErrorWhenTheAskedActorThrows) {
  auto thrower = SpawnResident<caf::hidden>(
      loop_->host(), [](Resident<Doubler::base>*) -> Doubler::behavior_type {
        return {[](int) -> int { throw std::runtime_error("boom"); }};
      });
  auto answer = loop_->RunUntilComplete<int>(thrower, 1);
  EXPECT_FALSE(answer.ok());
}

}  // namespace
}  // namespace troupe
