#include "process/start_parties.h"

#include "caf/actor.hpp"
#include "caf/actor_addr.hpp"
#include "caf/actor_cast.hpp"
#include "caf/actor_system.hpp"
#include "caf/actor_system_config.hpp"
#include "caf/event_based_actor.hpp"
#include "caf/exit_reason.hpp"
#include "caf/scoped_actor.hpp"
#include "caf/send.hpp"
#include "caf/system_messages.hpp"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/leak_check.h"
#include "tests/support/yield_until.h"

namespace troupe {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class StartPartiesTest : public LeakCheckedTest {
 protected:
  caf::actor NewActor() {
    return system_.spawn<caf::hidden>(
        [](caf::event_based_actor*) -> caf::behavior { return {[](int) {}}; });
  }
  static void Kill(const caf::actor& actor) {
    caf::anon_send_exit(actor, caf::exit_reason::kill);
  }
  // Waits for the next one.
  caf::actor_addr Down() {
    caf::actor_addr who;
    self_->receive([&](const caf::down_msg& down) { who = down.source; });
    return who;
  }

  caf::actor_system_config config_;
  caf::actor_system system_{config_};
  caf::scoped_actor self_{system_};
  StartParties parties_{self_.ptr()};
};

TEST_F(StartPartiesTest, KnowsWhatEitherWants) {
  caf::actor asker = NewActor(), owner = NewActor();
  const WantedBy both = {asker.address(), owner.address()};
  const WantedBy alone = {asker.address(), asker.address()};
  auto first = parties_.Join(both, 1), second = parties_.Join(alone, 2);
  ASSERT_TRUE(first.has_value() && second.has_value());
  EXPECT_NE(*first, *second);
  EXPECT_EQ(parties_.Join(both, 3), first);
  EXPECT_THAT(parties_.TicketsOf(asker.address()), ElementsAre(1, 2, 3));
  EXPECT_THAT(parties_.TicketsOf(owner.address()), ElementsAre(1, 3));
  parties_.Leave(both, 1);
  parties_.Leave(alone, 2);
  EXPECT_THAT(parties_.TicketsOf(asker.address()), ElementsAre(3));
  EXPECT_THAT(parties_.TicketsOf(owner.address()), ElementsAre(3));
  parties_.Leave(both, 3);
  EXPECT_THAT(parties_.TicketsOf(owner.address()), IsEmpty());
}

TEST_F(StartPartiesTest, IsToldOfTheEndOfWhoStillWantsAStart) {
  caf::actor asker = NewActor(), owner = NewActor();
  const WantedBy both = {asker.address(), owner.address()};
  ASSERT_TRUE(parties_.Join(both, 1).has_value());
  ASSERT_TRUE(parties_.Join(both, 2).has_value());
  parties_.Leave(both, 1);
  Kill(owner);
  EXPECT_EQ(Down(), both.owner);
  parties_.Leave(both, 2);
  Kill(asker);
  asker = nullptr;
  ASSERT_TRUE(YieldUntil([&] {
    return caf::actor_cast<caf::strong_actor_ptr>(both.requester) == nullptr;
  }));
  EXPECT_FALSE(self_->has_next_message());
  caf::actor last = NewActor();
  ASSERT_TRUE(parties_.Join({last.address(), last.address()}, 3).has_value());
  Kill(last);
  EXPECT_EQ(Down(), last.address());
}

TEST_F(StartPartiesTest, LetsNobodyJoinForOneWhoIsGone) {
  caf::actor alive = NewActor(), gone = NewActor();
  const caf::actor_addr end = gone.address();
  Kill(gone);
  gone = nullptr;
  ASSERT_TRUE(YieldUntil(
      [&] { return caf::actor_cast<caf::strong_actor_ptr>(end) == nullptr; }));
  EXPECT_FALSE(parties_.Join({alive.address(), end}, 1).has_value());
  EXPECT_FALSE(parties_.Join({end, alive.address()}, 2).has_value());
  EXPECT_THAT(parties_.TicketsOf(alive.address()), IsEmpty());
}

TEST_F(StartPartiesTest, NobodyDoesNotEnd) {
  auto number = parties_.Join({}, 1);
  ASSERT_TRUE(number.has_value());
  EXPECT_EQ(parties_.Join({}, 2), number);
  EXPECT_NE(parties_.Join({self_->address(), self_->address()}, 3), number);
  EXPECT_THAT(parties_.TicketsOf({}), IsEmpty());
  parties_.Leave({}, 1);
  parties_.Leave({}, 2);
}

}  // namespace
}  // namespace troupe
