#include "tests/support/loop_fixture.h"

#include <utility>

#include "absl/time/time.h"

namespace troupe {

LoopFixture::LoopFixture()
    : actors_(std::make_unique<caf::actor_system>(config_)) {
  auto system = System::Start(*actors_);
  EXPECT_TRUE(system.ok()) << system.status();
  system_ = *std::move(system);
  loop_ = NewLoop();
}

LoopFixture::~LoopFixture() {
  loop_.reset();
  system_.reset();
  actors_.reset();
}

std::unique_ptr<Loop> LoopFixture::NewLoop(Clock* clock) {
  auto loop = Loop::Create(
      *system_, {.clock = clock, .log = [this](absl::string_view report) {
                   log_.emplace_back(report.data(), report.size());
                 }});
  EXPECT_TRUE(loop.ok()) << loop.status();
  return *std::move(loop);
}

std::function<void()> LoopFixture::Says(std::string name,
                                        std::function<void()> then) {
  return [this, name = std::move(name), then = std::move(then)] {
    told_.push_back(name);
    if (then) then();
  };
}

std::function<void()> LoopFixture::SaysAndStops(std::string name) {
  return Says(std::move(name), [this] { loop_->Stop(); });
}

void LoopFixture::Run() {
  absl::Status ran = loop_->RunForever();
  EXPECT_TRUE(ran.ok()) << ran;
}

void LoopFixture::RunUntil(const std::function<bool()>& holds) {
  bool late = false;
  CallHandle deadline =
      loop_->CallLater(absl::Seconds(20), [&late] { late = true; });
  while (!holds() && !late) {
    ASSERT_TRUE(loop_->RunOnce(/*may_sleep=*/true).ok());
  }
  deadline.Cancel();
  EXPECT_FALSE(late) << "it did not come to hold";
}

}  // namespace troupe
