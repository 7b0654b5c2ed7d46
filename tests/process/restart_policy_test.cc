#include "process/restart_policy.h"

#include <csignal>
#include <limits>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace troupe {
namespace {

using std::chrono::milliseconds;
using std::chrono::nanoseconds;
using std::chrono::seconds;
using ::testing::ElementsAre;

constexpr std::chrono::steady_clock::time_point kNoon{std::chrono::hours(12)};

RestartAction ActionAfter(RestartWhen when, std::optional<ExitStatus> status) {
  return DecideRestart({.when = when}, {}, {.status = status}, kNoon).action;
}

TEST(RestartPolicyTest, NeverRestartsByDefault) {
  EXPECT_EQ(
      DecideRestart({}, {}, {.status = ExitStatus::Exited(1)}, kNoon).action,
      RestartAction::kStop);
}

TEST(RestartPolicyTest, RestartsOnFailureOnly) {
  auto when = RestartWhen::kOnFailure;
  EXPECT_EQ(ActionAfter(when, ExitStatus::Exited(0)), RestartAction::kStop);
  EXPECT_EQ(ActionAfter(when, ExitStatus::Exited(1)), RestartAction::kRestart);
  EXPECT_EQ(ActionAfter(when, ExitStatus::Killed(SIGTERM)),
            RestartAction::kRestart);
  EXPECT_EQ(ActionAfter(when, ExitStatus::Lost()), RestartAction::kRestart);
  EXPECT_EQ(ActionAfter(when, std::nullopt), RestartAction::kRestart);
}

TEST(RestartPolicyTest, RestartsAlways) {
  EXPECT_EQ(ActionAfter(RestartWhen::kAlways, ExitStatus::Exited(0)),
            RestartAction::kRestart);
}

// The delays of `count` quick failures in a row.
std::vector<nanoseconds> Delays(const RestartPolicy& policy, int count) {
  std::vector<nanoseconds> delays;
  RestartHistory history;
  for (int i = 0; i < count; ++i) {
    auto next = DecideRestart(policy, history, {}, kNoon);
    delays.push_back(next.delay);
    history = next.history;
  }
  return delays;
}

TEST(RestartPolicyTest, BacksOffUpToTheCap) {
  EXPECT_THAT(
      Delays({.when = RestartWhen::kAlways,
              .max_delay = milliseconds(500),
              .max_restarts = std::nullopt},
             5),
      ElementsAre(milliseconds(100), milliseconds(200), milliseconds(400),
                  milliseconds(500), milliseconds(500)));
}

TEST(RestartPolicyTest, DoesNotOverflow) {
  RestartPolicy policy = {.when = RestartWhen::kAlways,
                          .factor = 1e300,
                          .max_delay = nanoseconds::max(),
                          .max_restarts = std::nullopt};
  EXPECT_EQ(Delays(policy, 100).back(), nanoseconds::max());
}

TEST(RestartPolicyTest, StartsOverAfterAHealthyRun) {
  RestartPolicy policy = {.when = RestartWhen::kAlways};
  auto next = DecideRestart(policy, {.quick_ends = 4}, {}, kNoon);
  EXPECT_EQ(next.delay, milliseconds(1600));
  next = DecideRestart(policy, next.history, {.lasted = seconds(10)}, kNoon);
  EXPECT_EQ(next.delay, milliseconds(100));
}

TEST(RestartPolicyTest, GivesUpAfterTooManyRestartsInTheWindow) {
  RestartPolicy policy = {.when = RestartWhen::kAlways, .max_restarts = 2};
  auto first = DecideRestart(policy, {}, {}, kNoon);
  auto second = DecideRestart(policy, first.history, {}, kNoon + seconds(30));
  EXPECT_EQ(second.action, RestartAction::kRestart);
  EXPECT_EQ(
      DecideRestart(policy, second.history, {}, kNoon + seconds(59)).action,
      RestartAction::kGiveUp);
}

TEST(RestartPolicyTest, ForgetsRestartsOutsideTheWindow) {
  RestartPolicy policy = {.when = RestartWhen::kAlways, .max_restarts = 2};
  auto first = DecideRestart(policy, {}, {}, kNoon);
  auto second = DecideRestart(policy, first.history, {}, kNoon + seconds(30));
  EXPECT_EQ(
      DecideRestart(policy, second.history, {}, kNoon + seconds(60)).action,
      RestartAction::kRestart);
}

TEST(RestartPolicyTest, DoesNotGiveUpOnAProcessItDoesNotWant) {
  RestartPolicy policy = {.when = RestartWhen::kOnFailure, .max_restarts = 0};
  EXPECT_EQ(DecideRestart(policy, {}, {.status = ExitStatus::Exited(0)}, kNoon)
                .action,
            RestartAction::kStop);
  EXPECT_EQ(DecideRestart(policy, {}, {}, kNoon).action,
            RestartAction::kGiveUp);
}

TEST(RestartPolicyTest, KeepsNoListWithoutALimit) {
  RestartPolicy policy = {.when = RestartWhen::kAlways,
                          .max_restarts = std::nullopt};
  EXPECT_TRUE(DecideRestart(policy, {}, {}, kNoon).history.restarts.empty());
}

TEST(RestartPolicyTest, RefusesSenselessNumbers) {
  EXPECT_TRUE(Validate(RestartPolicy()).ok());
  EXPECT_FALSE(Validate(RestartPolicy{.initial_delay = seconds(-1)}).ok());
  EXPECT_FALSE(Validate(RestartPolicy{.factor = 0.5}).ok());
  EXPECT_FALSE(Validate(RestartPolicy{
                            .factor = std::numeric_limits<double>::quiet_NaN()})
                   .ok());
  EXPECT_FALSE(Validate(RestartPolicy{.max_restarts = -1}).ok());
}

}  // namespace
}  // namespace troupe
