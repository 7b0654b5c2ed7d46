// When an operation is tried, and when not.
#include "actors/sock_queue.h"

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "io/virtual_clock.h"
#include "tests/support/descriptors.h"
#include "tests/support/loop_fixture.h"

namespace troupe {
namespace {

using ::testing::ElementsAre;

// Writes down each try and does what its script says.
class Scripted final : public SockOperation {
 public:
  enum Step { kWait, kPause, kFinish };

  Scripted(std::string name, std::vector<Step> script,
           std::vector<std::string>& told)
      : name_(std::move(name)), script_(std::move(script)), told_(told) {}

  Attempt Try() override {
    told_.push_back("try " + name_);
    switch (script_.at(tries_++)) {
      case kWait:
        return {nullptr};
      case kPause:
        return {nullptr, absl::Milliseconds(10)};
      case kFinish:
        return {[this_name = name_, &told = told_] {
          told.push_back("done " + this_name);
        }};
    }
    return {};
  }
  Callback Fail(absl::Status) override { return nullptr; }

 private:
  const std::string name_;
  const std::vector<Step> script_;
  std::vector<std::string>& told_;
  size_t tries_ = 0;
};

class SockQueueTest : public LoopFixture {
 protected:
  SockQueueTest() : ends_(MakeSocketPair()) {
    loop_ = NewLoop(&clock_);
    queue_ = std::make_unique<SockQueue>(*loop_);
    SetNonBlocking(ends_.first);
  }
  ~SockQueueTest() override { queue_.reset(); }

  // On the write side, which is always ready.
  SockHandle Start(std::string name, std::vector<Scripted::Step> script) {
    return queue_->Start(
        ends_.first.get(), Side::kWrite,
        std::make_shared<Scripted>(std::move(name), std::move(script), told_),
        CodeLocation::Here());
  }
  void RunUntilTold(const std::string& last) {
    RunUntil([&] { return told_.back() == last; });
  }

  VirtualClock clock_;
  Ends ends_;
  std::unique_ptr<SockQueue> queue_;
};

TEST_F(SockQueueTest, TriesAtOnceAndThenWhenTheSideIsReady) {
  Start("a", {Scripted::kWait, Scripted::kFinish});
  EXPECT_THAT(told_, ElementsAre("try a"));
  RunUntilTold("done a");
  EXPECT_THAT(told_, ElementsAre("try a", "try a", "done a"));
  EXPECT_EQ(loop_->Time(), absl::ZeroDuration());
}

// A side that is ready all the time does not cut the pause short.
TEST_F(SockQueueTest, TriesAfterAPauseAndNotBefore) {
  Start("a", {Scripted::kWait, Scripted::kPause, Scripted::kFinish});
  RunUntilTold("done a");
  EXPECT_THAT(told_, ElementsAre("try a", "try a", "try a", "done a"));
  EXPECT_EQ(loop_->Time(), absl::Milliseconds(10));
}

// Row FD14.
TEST_F(SockQueueTest, LeavesTheFirstAloneWhenASecondComes) {
  Start("a", {Scripted::kPause, Scripted::kFinish});
  Start("b", {Scripted::kFinish});
  EXPECT_THAT(told_, ElementsAre("try a"));
  RunUntilTold("done b");
  EXPECT_THAT(told_,
              ElementsAre("try a", "try a", "done a", "try b", "done b"));
}

TEST_F(SockQueueTest, TriesTheNextWhenAPausingOneIsCancelled) {
  SockHandle a = Start("a", {Scripted::kPause});
  Start("b", {Scripted::kFinish});
  EXPECT_TRUE(a.Cancel());
  RunUntilTold("done b");
  EXPECT_THAT(told_, ElementsAre("try a", "try b", "done b"));
  EXPECT_EQ(loop_->Time(), absl::ZeroDuration());
}

// An operation's end may cancel its neighbours, or find the queue going.
TEST_F(SockQueueTest, LetsWhatGoesWithAnOperationCancelOthers) {
  struct CancelsWhenItGoes final : public SockOperation {
    explicit CancelsWhenItGoes(SockHandle other) : other(std::move(other)) {}
    ~CancelsWhenItGoes() override { other.Cancel(); }
    Attempt Try() override { return {}; }
    Callback Fail(absl::Status) override { return nullptr; }
    SockHandle other;
  };
  SockHandle first = Start("a", {Scripted::kWait});
  SockHandle second = queue_->Start(ends_.first.get(), Side::kWrite,
                                    std::make_shared<CancelsWhenItGoes>(first),
                                    CodeLocation::Here());
  EXPECT_TRUE(second.Cancel());
  EXPECT_FALSE(first.waiting());
  SockHandle last = Start("b", {Scripted::kPause});
  queue_->Start(ends_.first.get(), Side::kWrite,
                std::make_shared<CancelsWhenItGoes>(last),
                CodeLocation::Here());
  queue_.reset();
  EXPECT_FALSE(last.waiting());
}

}  // namespace
}  // namespace troupe
