// System::Signals(): one relay, whoever asks and from wherever.
#include <signal.h>

#include <memory>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "actors/config.h"
#include "actors/system.h"
#include "caf/actor_addr.hpp"
#include "caf/actor_system.hpp"
#include "caf/exit_reason.hpp"
#include "caf/scoped_actor.hpp"
#include "caf/send.hpp"
#include "caf/typed_event_based_actor.hpp"
#include "gtest/gtest.h"
#include "io/status_error.h"
#include "signals/signal_messages.h"
#include "tests/support/leak_check.h"

namespace troupe {
namespace {

class SystemSignalsTest : public LeakCheckedTest {
 protected:
  SystemSignalsTest() : actors_(config_) {
    system_ = System::Start(actors_).value();
  }
  ~SystemSignalsTest() override { system_.reset(); }

  SignalRelay Signals() {
    auto relay = system_->Signals();
    EXPECT_TRUE(relay.ok()) << relay.status();
    return relay.ok() ? *relay : SignalRelay();
  }

  template <class Answer, class Request>
  void Ask(const SignalRelay& relay, Request request) {
    caf::scoped_actor self(actors_);
    self->request(relay, caf::infinite, request)
        .receive([](const Answer&) {},
                 [](const caf::error& why) { ADD_FAILURE() << StatusOf(why); });
  }

 private:
  Config config_;

 protected:
  caf::actor_system actors_;
  std::unique_ptr<System> system_;
};

TEST_F(SystemSignalsTest, AllThreadsGetTheSameRelay) {
  constexpr int kThreads = 8;
  for (int round = 0; round < 20; ++round) {
    std::vector<SignalRelay> relays(kThreads);
    std::vector<std::thread> threads;
    for (SignalRelay& relay : relays) {
      threads.emplace_back([&] { relay = Signals(); });
    }
    for (std::thread& thread : threads) thread.join();
    std::set<caf::actor_addr> different;
    for (const SignalRelay& relay : relays) different.insert(relay.address());
    EXPECT_EQ(different.size(), 1u);
    Ask<SignalRelayClosed>(relays[0], CloseSignalRelay{});
  }
}

TEST_F(SystemSignalsTest, ReplacesARelayThatWasClosed) {
  SignalRelay first = Signals();
  Ask<SignalRelayClosed>(first, CloseSignalRelay{});
  SignalRelay second = Signals();
  EXPECT_NE(first, second);
  EXPECT_EQ(second, Signals());
}

// A bug of ours: asked between the two looks at a relay that just ended.
TEST_F(SystemSignalsTest, ReplacesARelayThatIsBeingKilled) {
  for (int round = 0; round < 500; ++round) {
    caf::anon_send_exit(Signals(), caf::exit_reason::kill);
  }
}

// V55: the program has no owner to tell.
TEST_F(SystemSignalsTest, SaysOnStderrThatAnotherHandlerStays) {
  SignalObserver observer = actors_.spawn<caf::hidden>(
      [](SignalObserver::pointer) -> SignalObserver::behavior_type {
        return {[](const SignalReceived&) {}};
      });
  Ask<Subscribed>(Signals(), SubscribeToSignal{SIGUSR1, observer});
  const auto before = signal(SIGUSR1, SIG_IGN);
  testing::internal::CaptureStderr();
  caf::anon_send_exit(observer, caf::exit_reason::kill);
  system_.reset();
  EXPECT_EQ(testing::internal::GetCapturedStderr(),
            "troupe: SIGUSR1: another handler was installed meanwhile; it "
            "stays\n");
  EXPECT_NE(before, SIG_DFL);
  signal(SIGUSR1, SIG_DFL);
}

}  // namespace
}  // namespace troupe
