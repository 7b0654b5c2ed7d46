#include "actors/quiet_clock.h"

#include <chrono>
#include <filesystem>
#include <fstream>
#include <string>

#include "absl/strings/match.h"
#include "actors/config.h"
#include "caf/actor_cast.hpp"
#include "caf/actor_system.hpp"
#include "caf/detail/test_actor_clock.hpp"
#include "caf/event_based_actor.hpp"
#include "caf/exit_reason.hpp"
#include "caf/scoped_actor.hpp"
#include "caf/sec.hpp"
#include "caf/send.hpp"
#include "gtest/gtest.h"
#include "tests/support/leak_check.h"
#include "tests/support/yield_until.h"

namespace troupe {
namespace {

class QuietClockTest : public LeakCheckedTest {
 protected:
  // How often the clock's thread has waited, "" if it runs.
  static std::string Waits() {
    for (const auto& task :
         std::filesystem::directory_iterator("/proc/self/task")) {
      std::string name, line, waits;
      std::ifstream comm(task.path() / "comm");
      std::getline(comm, name);
      if (name != "caf.clock") continue;
      bool asleep = false;
      std::ifstream status(task.path() / "status");
      while (std::getline(status, line)) {
        if (absl::StartsWith(line, "State:\tS")) asleep = true;
        if (absl::StartsWith(line, "voluntary_ctxt_switches")) waits = line;
      }
      return asleep ? waits : "";
    }
    return "";
  }

  Config config_;
};

TEST_F(QuietClockTest, SleepsWhileActorsWithoutTimeoutsEnd) {
  caf::actor_system system(config_);
  std::string before;
  ASSERT_TRUE(YieldUntil([&] { return !(before = Waits()).empty(); }));
  caf::scoped_actor self(system);
  for (int i = 0; i < 100; ++i) {
    caf::actor one = self->spawn<caf::monitored>([] {});
    self->receive([&](const caf::down_msg&) {});
  }
  EXPECT_EQ(Waits(), before);
}

TEST_F(QuietClockTest, TimeoutsComeAsEver) {
  caf::actor_system system(config_);
  caf::scoped_actor self(system);
  caf::actor silent = self->spawn([](caf::event_based_actor* actor) {
    return caf::behavior{[=](int) { return actor->make_response_promise(); }};
  });
  caf::actor asker = self->spawn(
      [=](caf::event_based_actor* actor, caf::actor whom, caf::actor home) {
        actor->request(whom, std::chrono::milliseconds(1), 1)
            .then([](int) {},
                  [=](const caf::error& why) {
                    actor->send(home, why == caf::sec::request_timeout);
                  });
      },
      silent, caf::actor_cast<caf::actor>(self));
  bool timed_out = false;
  self->receive([&](bool timeout) { timed_out = timeout; });
  EXPECT_TRUE(timed_out);
  self->delayed_send(self, std::chrono::milliseconds(1), 2);
  self->receive([](int two) { EXPECT_EQ(two, 2); });
  caf::anon_send_exit(silent, caf::exit_reason::user_shutdown);
}

TEST_F(QuietClockTest, ForgetsTheTimeoutsOfAnActorThatEnds) {
  caf::actor_system system(config_);
  caf::scoped_actor self(system);
  auto* actor = caf::actor_cast<caf::abstract_actor*>(self);
  caf::detail::test_actor_clock inner;
  QuietClock clock(inner);
  const auto later = inner.now() + std::chrono::hours(1);
  const caf::message_id id = caf::make_message_id(1);

  inner.set_request_timeout(later, actor, id);
  clock.cancel_timeouts(actor);  // knows of none
  EXPECT_EQ(inner.schedule().size(), 1u);

  clock.set_request_timeout(later, actor, id);
  clock.cancel_timeouts(actor);
  EXPECT_EQ(inner.schedule().size(), 0u);

  clock.set_ordinary_timeout(later, actor, caf::atom("x"), 1);
  clock.cancel_timeouts(actor);
  clock.set_multi_timeout(later, actor, caf::atom("x"), 2);
  clock.cancel_timeouts(actor);
  EXPECT_EQ(inner.schedule().size(), 0u);
}

}  // namespace
}  // namespace troupe
