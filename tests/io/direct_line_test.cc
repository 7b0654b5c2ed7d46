// What is sent over a direct line arrives as if it were sent, sooner.
#include "io/direct_line.h"

#include <functional>
#include <future>
#include <memory>
#include <thread>
#include <utility>

#include "caf/actor_cast.hpp"
#include "caf/event_based_actor.hpp"
#include "caf/send.hpp"
#include "caf/stateful_actor.hpp"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "io/direct_handlers.h"
#include "io/io_host.h"
#include "io/resident.h"
#include "tests/io/person.h"

namespace troupe {
namespace {

using ::testing::ElementsAre;

// A number it has a direct handler for, and what it holds.
struct Held {
  int value;
  std::shared_ptr<int> kept = nullptr;
};
// Too large to wait without memory of its own.
struct Large {
  int value;
  char rest[100] = {};
};

}  // namespace
}  // namespace troupe

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::Held)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::Large)

namespace troupe {
namespace {

// What its behavior is told is negative.
struct ClerkState {
  ClerkState() = default;  // CAF gives an aggregate the actor
  void HandleDirectly(Held& held) { heard(held.value); }
  void HandleDirectly(Large& large) { heard(large.value); }

  std::function<void(int)> heard;
};

using ClerkSelf = Resident<caf::stateful_actor<ClerkState>>;

caf::behavior Clerk(ClerkSelf* self, std::function<void(int)> heard) {
  self->state.heard = heard;
  self->SetDirectHandlers(DirectHandlers::For<ClerkState, Held, Large>(),
                          &self->state);
  return {
      [=](const Held& held) { heard(-held.value); },
      [=](const Large& large) { heard(-large.value); },
      [=](const Number& number) { heard(number.value); },
      [=](const Task& task) { task.run(self); },
  };
}

class DirectLineTest : public PersonTest {
 protected:
  caf::actor NewClerk(Heard heard) {
    caf::actor clerk =
        SpawnResident<caf::hidden>(host(), Clerk, std::move(heard));
    Do(clerk, [](caf::event_based_actor*) {});
    return clerk;
  }
  static ResidentBase* Of(const caf::actor& clerk) {
    return dynamic_cast<ResidentBase*>(
        caf::actor_cast<caf::abstract_actor*>(clerk));
  }
  DirectLine LineTo(const caf::actor& clerk) {
    return {caf::actor_cast<caf::strong_actor_ptr>(clerk), host()};
  }
  // Runs it while the clerk is at rest and has called who runs it.
  void DuringACallOf(const caf::actor& clerk, std::function<void()> what) {
    Do(NewPerson(), [&](caf::event_based_actor*) {
      Task task{[&](caf::event_based_actor*) {
        what();
        trace_->Add("left");
      }};
      ASSERT_TRUE(Of(clerk)->ActivateNow(nullptr, task));
    });
    WaitForIteration(*io_);
  }
};

TEST_F(DirectLineTest, RunsTheHandlerAtOnce) {
  caf::actor clerk = NewClerk(Noted());
  Do(NewPerson(), [&](caf::event_based_actor*) {
    LineTo(clerk).Send(Held{1});
    LineTo(clerk).Send(Number{2});
    trace_->Add("after");
  });
  EXPECT_THAT(trace_->events(), ElementsAre("1", "2", "after"));
}

// All four kinds of waiting keep one order.
TEST_F(DirectLineTest, WaitsUntilItsReceiverHasReturned) {
  caf::actor clerk = NewClerk(Noted());
  DuringACallOf(clerk, [&] {
    DirectLine line = LineTo(clerk);
    line.Send(Held{1});
    EXPECT_TRUE(Of(clerk)->IsAtRest()) << "its mailbox was used";
    line.Send(Number{2});
    line.Send(Large{3});
    caf::anon_send(clerk, Number{4});
    line.Send(Held{5});
    EXPECT_THAT(trace_->events(), ElementsAre());
  });
  EXPECT_THAT(trace_->events(), ElementsAre("left", "1", "2", "3", "4", "5"));
}

TEST_F(DirectLineTest, SendsToWhoIsNotAtRest) {
  caf::actor clerk = NewClerk(Noted());
  Do(clerk, [&](caf::event_based_actor*) {
    LineTo(clerk).Send(Held{1});
    trace_->Add("left");
  });
  ASSERT_TRUE(trace_->WaitFor("-1"));
  EXPECT_THAT(trace_->events(), ElementsAre("left", "-1"));
}

TEST_F(DirectLineTest, SendsToWhoLivesElsewhere) {
  std::promise<int> heard;
  caf::actor stranger =
      system_->spawn([&](caf::event_based_actor*) -> caf::behavior {
        return {[&](const Held& held) { heard.set_value(held.value); }};
      });
  Do(NewPerson(),
     [&](caf::event_based_actor*) { LineTo(stranger).Send(Held{1}); });
  EXPECT_EQ(heard.get_future().get(), 1);
  caf::anon_send_exit(stranger, caf::exit_reason::kill);
}

// It ends, as that of a message does that nobody reads.
TEST_F(DirectLineTest, DropsWhatTheDeadAreSent) {
  caf::actor clerk = NewClerk(Noted());
  auto kept = std::make_shared<int>(1);
  DuringACallOf(clerk, [&] {
    DirectLine line = LineTo(clerk);
    line.Send(Held{1});
    caf::anon_send(clerk, Task{[](caf::event_based_actor* it) { it->quit(); }});
    line.Send(Held{2, kept});
  });
  EXPECT_THAT(trace_->events(), ElementsAre("left", "1"));
  EXPECT_EQ(kept.use_count(), 1);
}

// What comes while it awaits an answer waits, too.
TEST_F(DirectLineTest, WaitsForAReceiverThatAwaits) {
  caf::actor clerk = NewClerk(Noted()), answerer = NewPerson();
  DuringACallOf(clerk, [&] {
    DirectLine line = LineTo(clerk);
    caf::anon_send(
        clerk, Task{[&](caf::event_based_actor* it) {
          it->request(answerer, caf::infinite, Question{0}).await([this](int) {
            trace_->Add("answer");
          });
        }});
    line.Send(Held{1});
    line.Send(Held{2});
  });
  ASSERT_TRUE(trace_->WaitFor("-2"));
  EXPECT_THAT(trace_->events(), ElementsAre("left", "answer", "-1", "-2"));
}

TEST_F(DirectLineTest, KeepsItsReceiverAlive) {
  caf::actor clerk = NewClerk(Noted());
  DuringACallOf(clerk, [&] {
    LineTo(clerk).Send(Held{1});
    clerk = nullptr;
  });
  ASSERT_TRUE(trace_->WaitFor("1"));
}

// Nobody reads it, and it ends.
TEST_F(DirectLineTest, IsEmptiedWhenItsHostStops) {
  auto kept = std::make_shared<int>(1);
  caf::actor clerk;
  clerk = NewClerk([&](int) {
    LineTo(clerk).Send(Held{1, kept});  // and so on
  });
  Do(NewPerson(), [&](caf::event_based_actor*) {
    LineTo(clerk).Send(Held{1, kept});
  });
  io_->Stop();
  clerk = nullptr;
  EXPECT_EQ(kept.use_count(), 1);
}

}  // namespace
}  // namespace troupe
