// A resident's handler that runs at once, while the sender's does.
#include <functional>
#include <stdexcept>
#include <thread>

#include "caf/actor_cast.hpp"
#include "caf/allowed_unsafe_message_type.hpp"
#include "caf/send.hpp"
#include "caf/typed_actor.hpp"
#include "caf/typed_event_based_actor.hpp"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "io/io_host.h"
#include "io/resident.h"
#include "tests/io/person.h"

namespace troupe {
namespace {

using ::testing::ElementsAre;

class ActivateNowTest : public PersonTest {
 protected:
  static ResidentBase* Of(const caf::actor& person) {
    return dynamic_cast<ResidentBase*>(
        caf::actor_cast<caf::abstract_actor*>(person));
  }
  static bool Now(const caf::actor& receiver, int number) {
    Number message{number};
    return Of(receiver)->ActivateNow(nullptr, message);
  }
};

TEST_F(ActivateNowTest, RunsTheHandlerAtOnce) {
  caf::actor sender = NewPerson(), receiver = NewPerson(Noted());
  Do(sender, [&](caf::event_based_actor*) {
    EXPECT_TRUE(Now(receiver, 1));
    trace_->Add("after");
  });
  EXPECT_THAT(trace_->events(), ElementsAre("1", "after"));
}

TEST_F(ActivateNowTest, DoesNotOvertakeWhatWaits) {
  caf::actor sender = NewPerson(), receiver = NewPerson(Noted());
  Do(sender, [&](caf::event_based_actor* self) {
    self->send(receiver, Number{1});
    EXPECT_FALSE(Now(receiver, 2));
  });
  WaitForIteration(*io_);
  EXPECT_THAT(trace_->events(), ElementsAre("1"));
  Do(sender, [&](caf::event_based_actor*) {
    std::thread([&] { caf::anon_send(receiver, Number{3}); }).join();
    EXPECT_FALSE(Now(receiver, 4)) << "its mailbox is not empty";
  });
  ASSERT_TRUE(trace_->WaitFor("3"));
  EXPECT_THAT(trace_->events(), ElementsAre("1", "3"));
}

// The one of the timer's actor began outside of every mailbox.
TEST_F(ActivateNowTest, DoesNotEnterAnActorTwice) {
  caf::actor outer = NewPerson();
  caf::actor inner = NewPerson([&](int) { EXPECT_FALSE(Now(outer, 2)); });
  Do(NewPerson(), [&](caf::event_based_actor*) {
    Task task{[&](caf::event_based_actor*) {
      EXPECT_TRUE(Now(inner, 1));
      trace_->Add("left");
    }};
    EXPECT_TRUE(Of(outer)->ActivateNow(nullptr, task));
  });
  EXPECT_THAT(trace_->events(), ElementsAre("left"));
}

TEST_F(ActivateNowTest, IsForTheHostsThread) {
  caf::actor receiver = NewPerson(Noted());
  EXPECT_FALSE(Now(receiver, 1));
}

TEST_F(ActivateNowTest, KeepsWhatIsSkipped) {
  *skips_ = true;
  caf::actor sender = NewPerson(), receiver = NewPerson(Noted());
  Do(sender, [&](caf::event_based_actor*) {
    Skippable message{1};
    EXPECT_TRUE(Of(receiver)->ActivateNow(nullptr, message));
    EXPECT_FALSE(Now(receiver, 2)) << "it would be before what it skipped";
  });
  *skips_ = false;
  caf::anon_send(receiver, Number{3});
  ASSERT_TRUE(trace_->WaitFor("1"));
  EXPECT_THAT(trace_->events(), ElementsAre("3", "1"));
}

TEST_F(ActivateNowTest, EndsAnActorWhoseHandlerThrows) {
  caf::actor sender = NewPerson();
  caf::actor bad = NewPerson([](int) { throw std::runtime_error("boom"); });
  Do(sender, [&](caf::event_based_actor*) {
    EXPECT_TRUE(Now(bad, 1));
    EXPECT_TRUE(HasEnded(caf::actor_cast<caf::strong_actor_ptr>(bad)));
    EXPECT_FALSE(Now(bad, 2));
  });
}

// Numbers are handled by call; what the behavior is told is negative.
using Counter =
    caf::typed_actor<caf::reacts_to<Number>, caf::reacts_to<Skippable>>;
struct CounterState {
  explicit CounterState(Counter::stateful_base<CounterState>* self)
      : self(self) {}
  void HandleDirectly(Number& number) {
    if (number.value == 0) throw std::runtime_error("zero");
    heard(number.value);
    if (number.value == 99) self->quit();
  }
  void HandleDirectly(Skippable& number) { heard(100 + number.value); }

  Counter::stateful_base<CounterState>* self;
  std::function<void(int)> heard;
};

Counter::behavior_type CounterActor(
    StatefulResident<Counter, CounterState>* self,
    std::function<void(int)> heard) {
  self->state.heard = heard;
  self->SetDirectHandlers(
      DirectHandlers::For<CounterState, Number, Skippable>(), &self->state);
  return {
      [=](const Number& number) { heard(-number.value); },
      [=](const Skippable& number) { heard(-100 - number.value); },
  };
}

class DirectHandlersTest : public ActivateNowTest {
 protected:
  caf::actor NewCounter(size_t before = 0) {
    auto counter = caf::actor_cast<caf::actor>(
        SpawnResident<caf::hidden>(host(), CounterActor, Noted()));
    // Through its mailbox, so by the behavior; then it is at rest.
    caf::anon_send(counter, Number{7});
    EXPECT_TRUE(trace_->WaitFor("-7", before + 1));
    WaitForIteration(*io_);
    return counter;
  }
};

TEST_F(DirectHandlersTest, AreCalledInsteadOfTheBehavior) {
  caf::actor counter = NewCounter(), sender = NewPerson();
  Do(sender, [&](caf::event_based_actor* self) {
    EXPECT_TRUE(Now(counter, 1));
    self->send(counter, Number{2});
    self->send(counter, Skippable{3});
  });
  WaitForIteration(*io_);
  EXPECT_THAT(trace_->events(), ElementsAre("-7", "1", "2", "103"));
}

// It must not move out of what somebody else has, too.
TEST_F(DirectHandlersTest, AreNotCalledForSharedMessages) {
  caf::actor counter = NewCounter();
  const caf::message message = caf::make_message(Number{1});
  Do(NewPerson(),
     [&](caf::event_based_actor* self) { self->send(counter, message); });
  WaitForIteration(*io_);
  EXPECT_THAT(trace_->events(), ElementsAre("-7", "-1"));
}

TEST_F(DirectHandlersTest, EndTheirActor) {
  size_t before = 0;
  for (const int last : {0, 99}) {
    caf::actor counter = NewCounter(before++);
    Do(NewPerson(), [&](caf::event_based_actor*) {
      EXPECT_TRUE(Now(counter, last));
      EXPECT_TRUE(HasEnded(caf::actor_cast<caf::strong_actor_ptr>(counter)));
      EXPECT_FALSE(Now(counter, 1));
    });
  }
}

}  // namespace
}  // namespace troupe
