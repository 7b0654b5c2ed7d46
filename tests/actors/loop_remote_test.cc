// A loop and an actor on another node.
#include <atomic>
#include <memory>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "actors/loop.h"
#include "actors/loop_messages.h"
#include "actors/system.h"
#include "caf/actor_cast.hpp"
#include "caf/actor_system.hpp"
#include "caf/actor_system_config.hpp"
#include "caf/event_based_actor.hpp"
#include "caf/io/middleman.hpp"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/descriptors.h"
#include "tests/support/leak_check.h"

namespace troupe {
namespace {

struct NodeConfig : caf::actor_system_config {
  NodeConfig() {
    set("scheduler.policy", caf::atom("sharing"));
    set("scheduler.max-threads", size_t{1});
    load<caf::io::middleman>();
  }
};

// Two systems in one process are two nodes to CAF.
class LoopRemoteTest : public LeakCheckedTest {
 protected:
  LoopRemoteTest() {
    here_ = std::make_unique<caf::actor_system>(here_config_);
    there_ = std::make_unique<caf::actor_system>(there_config_);
    system_ = *System::Start(*here_);
    loop_ = *Loop::Create(*system_);
    far_ = there_->spawn([this](caf::event_based_actor* self) {
      return caf::behavior{[this, self](int number) {
        sum_ += number;
        if (number < 0) self->quit();
        loop_->CallSoonThreadsafe([this] { loop_->Stop(); });
      }};
    });
    auto port = there_->middleman().publish(far_, 0, "127.0.0.1");
    EXPECT_TRUE(port) << to_string(port.error());
    auto proxy =
        here_->middleman().remote_actor<caf::actor>("127.0.0.1", *port);
    EXPECT_TRUE(proxy) << to_string(proxy.error());
    proxy_ = *proxy;
  }
  ~LoopRemoteTest() override {
    caf::anon_send_exit(far_, caf::exit_reason::user_shutdown);
    far_ = nullptr;
    proxy_ = nullptr;
    there_.reset();
    loop_.reset();
    system_.reset();
    here_.reset();
  }

  NodeConfig here_config_, there_config_;
  std::unique_ptr<caf::actor_system> here_, there_;
  std::unique_ptr<System> system_;
  std::unique_ptr<Loop> loop_;
  std::atomic<int> sum_{0};
  caf::actor far_, proxy_;
};

TEST_F(LoopRemoteTest, SendsTimersMessagesToAnotherNode) {
  loop_->SendLater(absl::Milliseconds(1), proxy_, 40);
  ASSERT_TRUE(loop_->RunForever().ok());
  caf::anon_send(loop_->actor(),
                 SendLater{absl::Milliseconds(1),
                           caf::actor_cast<caf::strong_actor_ptr>(proxy_),
                           caf::make_message(2)});
  ASSERT_TRUE(loop_->RunForever().ok());
  EXPECT_EQ(sum_, 42);
}

// FdReady is about a descriptor of this process.
TEST_F(LoopRemoteTest, RefusesAnObserverOnAnotherNode) {
  auto [in, out] = MakePipe();
  auto added = loop_->AddReader(in.get(), caf::actor_cast<FdObserver>(proxy_));
  EXPECT_TRUE(absl::IsInvalidArgument(added.status())) << added.status();
  EXPECT_EQ(loop_->Metrics().descriptors, 0u);
}

}  // namespace
}  // namespace troupe
