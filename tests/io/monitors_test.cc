#include "io/monitors.h"

#include <chrono>
#include <memory>
#include <utility>
#include <vector>

#include "caf/actor_cast.hpp"
#include "caf/event_based_actor.hpp"
#include "caf/exit_reason.hpp"
#include "caf/scoped_actor.hpp"
#include "caf/send.hpp"
#include "caf/system_messages.hpp"
#include "gtest/gtest.h"
#include "io/read_transport.h"
#include "tests/support/io_fixture.h"
#include "tests/support/yield_until.h"

namespace troupe {
namespace {

class MonitorsTest : public IoTest {
 protected:
  // Lives until it is ended.
  caf::actor NewActor() {
    return system_->spawn<caf::hidden>(
        [](caf::event_based_actor*) { return caf::behavior{[](int) {}}; });
  }
  void End(const caf::actor& actor) {
    caf::anon_send_exit(actor, caf::exit_reason::user_shutdown);
    caf::scoped_actor self(*system_);
    self->wait_for(actor);
  }
  // The one down message of `listener`, which is of `watched`. Who waited for
  // the end may have been told before.
  static void ExpectDown(caf::scoped_actor& listener,
                         const caf::actor& watched) {
    listener->receive(
        [&](const caf::down_msg& down) {
          EXPECT_EQ(down.source, watched.address());
          EXPECT_EQ(down.reason, caf::exit_reason::user_shutdown);
        },
        caf::after(std::chrono::seconds(20)) >>
            [] { ADD_FAILURE() << "not told"; });
    EXPECT_FALSE(listener->has_next_message());
  }

  std::shared_ptr<Monitors> monitors_ = std::make_shared<Monitors>();
};

TEST_F(MonitorsTest, TellAllWhoWatchOnce) {
  caf::actor watched = NewActor(), other = NewActor();
  caf::scoped_actor a(*system_), b(*system_), c(*system_);
  Monitor first;
  first.Begin(*monitors_, watched, a.ptr());
  Monitor second;
  second.Begin(*monitors_, watched, b.ptr());
  Monitor third;
  third.Begin(*monitors_, other, c.ptr());
  End(watched);
  ExpectDown(a, watched);
  ExpectDown(b, watched);
  EXPECT_FALSE(c->has_next_message());
  End(other);
  ExpectDown(c, other);
}

TEST_F(MonitorsTest, TellNobodyWhoLetGo) {
  caf::actor watched = NewActor();
  caf::scoped_actor a(*system_), b(*system_);
  Monitor first;
  first.Begin(*monitors_, watched, a.ptr());
  Monitor second;
  second.Begin(*monitors_, watched, b.ptr());
  first.End();
  End(watched);
  EXPECT_FALSE(a->has_next_message());
  ExpectDown(b, watched);
}

// The last one takes away what hangs at the actor, the next one puts it there
// again; and one that is replaced by another of the same goes after it.
TEST_F(MonitorsTest, MayBeginAgain) {
  caf::actor watched = NewActor();
  caf::scoped_actor a(*system_);
  Monitor one;
  one.Begin(*monitors_, watched, a.ptr());
  one.End();
  one.Begin(*monitors_, watched, a.ptr());
  one.Begin(*monitors_, watched, a.ptr());
  End(watched);
  ExpectDown(a, watched);
}

TEST_F(MonitorsTest, TellAtOnceOfOneThatHasEnded) {
  caf::actor watched = NewActor();
  End(watched);
  caf::scoped_actor a(*system_);
  Monitor one;
  one.Begin(*monitors_, watched, a.ptr());
  ExpectDown(a, watched);
  one.Begin(*monitors_, watched, a.ptr());
  ExpectDown(a, watched);
  one.Begin(*monitors_, caf::actor(), a.ptr());  // nobody
}

// One after the other, from the middle of those who watch the same.
TEST_F(MonitorsTest, TellNobodyWhoWatchesAnotherByNow) {
  caf::actor watched = NewActor(), other = NewActor();
  caf::scoped_actor a(*system_), b(*system_), c(*system_);
  Monitor first;
  first.Begin(*monitors_, watched, a.ptr());
  Monitor second;
  second.Begin(*monitors_, watched, b.ptr());
  Monitor third;
  third.Begin(*monitors_, watched, c.ptr());
  second.End();
  first.Begin(*monitors_, other, a.ptr());
  End(watched);
  ExpectDown(c, watched);
  EXPECT_FALSE(a->has_next_message());
  EXPECT_FALSE(b->has_next_message());
  End(other);
  ExpectDown(a, other);
}

// What hangs at the actor knows its address.
TEST_F(MonitorsTest, LeaveNothingAtAnActorThatNobodyWatches) {
  caf::actor watched = NewActor();
  const auto memory = caf::actor_cast<caf::weak_actor_ptr>(watched);
  caf::scoped_actor a(*system_);
  const size_t before = memory->weak_refs;
  for (int i = 0; i < 10; ++i) {
    Monitor one;
    one.Begin(*monitors_, watched, a.ptr());
  }
  EXPECT_EQ(memory->weak_refs, before);
  End(watched);
}

TEST_F(MonitorsTest, MayGoBeforeWhatTheyWatch) {
  caf::actor watched = NewActor();
  caf::scoped_actor a(*system_);
  Monitor one;
  one.Begin(*monitors_, watched, a.ptr());
  monitors_.reset();
  End(watched);
  EXPECT_FALSE(a->has_next_message());
}

// CAF's own monitors stay with the watched actor, and with them the memory of
// who watched.
TEST_F(MonitorsTest, KeepNothingOfAListenerThatEnded) {
  caf::actor watched = NewActor();
  caf::actor listener = NewActor();
  const auto memory = caf::actor_cast<caf::weak_actor_ptr>(listener);
  {
    Monitor one;
    one.Begin(*monitors_, watched,
              caf::actor_cast<caf::abstract_actor*>(listener));
    End(std::exchange(listener, {}));
  }
  EXPECT_TRUE(YieldUntil([&] { return memory->weak_refs == 1; }));
  End(watched);
}

TEST_F(MonitorsTest, KeepNothingOfATransportThatServedAProtocol) {
  ReadProtocol protocol = NewReadProtocol();
  auto [reader, writer] = MakePipe();
  ReadTransport transport = SpawnReadTransport(io_->host(), io_->actor());
  const auto memory = caf::actor_cast<caf::weak_actor_ptr>(transport);
  ASSERT_EQ(Connect(transport, std::move(reader), protocol), "");
  caf::anon_send(std::exchange(transport, {}), CloseTransport{});
  EXPECT_TRUE(YieldUntil([&] { return memory->weak_refs == 1; }));
}

}  // namespace
}  // namespace troupe
