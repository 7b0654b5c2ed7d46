// Messages between residents of one host, which do not pass mailboxes: nobody
// can tell.
#include <atomic>
#include <functional>
#include <future>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "caf/allowed_unsafe_message_type.hpp"
#include "caf/event_based_actor.hpp"
#include "caf/send.hpp"
#include "caf/skip.hpp"
#include "caf/typed_actor.hpp"
#include "caf/typed_event_based_actor.hpp"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "io/io_host.h"
#include "io/io_messages.h"
#include "io/resident.h"
#include "io/timer_id.h"
#include "tests/support/io_fixture.h"

namespace troupe {
namespace {

using ::testing::ElementsAre;

// Runs what it is sent, on the host's thread, as its own.
struct Task {
  std::function<void(caf::event_based_actor*)> run;
};

// Answered with its number.
struct Question {
  int number;
};

// Told to whoever listens; skipped at times.
struct Number {
  int value;
};
struct Skippable {
  int value;
};

}  // namespace
}  // namespace troupe

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::Task)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::Question)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::Number)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::Skippable)

namespace troupe {
namespace {

// Tasks, numbers that are told to `heard`, a type of CAF's and one of ours,
// questions, and what is skipped while `skips`.
caf::behavior Person(Resident<caf::event_based_actor>* self,
                     std::function<void(int)> heard,
                     std::shared_ptr<bool> skips) {
  return {
      [=](const Task& task) { task.run(self); },
      [=](const Number& number) { heard(number.value); },
      [=](int number) { heard(number); },
      [=](const Question& question) { return question.number; },
      [=](const Skippable& number) -> caf::result<void> {
        if (*skips) return caf::skip();
        heard(number.value);
        return caf::unit;
      },
  };
}

class ResidentLineTest : public IoTest {
 protected:
  using Heard = std::function<void(int)>;

  caf::actor NewPerson(Heard heard = nullptr) {
    caf::actor person =
        SpawnResident<caf::hidden>(host(), Person, std::move(heard), skips_);
    // Has run once, so that it is at rest.
    Do(person, [](caf::event_based_actor*) {});
    return person;
  }
  Heard Noted() {
    return [this](int number) { trace_->Add(std::to_string(number)); };
  }
  void Do(const caf::actor& person,
          std::function<void(caf::event_based_actor*)> what) {
    std::promise<void> done;
    caf::anon_send(person, Task{[&](caf::event_based_actor* self) {
                     what(self);
                     done.set_value();
                   }});
    done.get_future().wait();
  }

  std::shared_ptr<bool> skips_ = std::make_shared<bool>(false);
};

TEST_F(ResidentLineTest, IsTakenByMessagesBetweenResidentsAtRest) {
  caf::actor sender = NewPerson(), receiver = NewPerson([](int) {});
  auto* at_rest = dynamic_cast<ResidentBase*>(
      caf::actor_cast<caf::abstract_actor*>(receiver));
  Do(sender, [&](caf::event_based_actor* self) {
    EXPECT_TRUE(at_rest->IsAtRest());
    self->send(receiver, Number{1});
    EXPECT_TRUE(at_rest->IsAtRest()) << "its mailbox was used";
  });
}

// A message through the mailbox between two that are in the line.
TEST_F(ResidentLineTest, KeepsTheOrderOfASenderWhoeverElseSends) {
  std::vector<int> heard;
  std::promise<void> done;
  caf::actor sender = NewPerson();
  caf::actor receiver = NewPerson([&](int number) {
    if (number >= 0) heard.push_back(number);
    if (number == 20000) done.set_value();
  });
  std::atomic<bool> over{false};
  std::thread stranger([&] {
    while (!over) caf::anon_send(receiver, -1);
  });
  for (int round = 0; round < 200; ++round) {
    Do(sender, [&](caf::event_based_actor* self) {
      for (int i = 1; i <= 100; ++i) {
        const int number = round * 100 + i;
        if (i % 3 == 0) {
          self->send(receiver, number);
        } else {
          self->send(receiver, Number{number});
        }
      }
    });
  }
  done.get_future().wait();
  over = true;
  stranger.join();
  ASSERT_EQ(heard.size(), 20000u);
  for (int i = 0; i < 20000; ++i) ASSERT_EQ(heard[i], i + 1);
}

TEST_F(ResidentLineTest, LetsTimersAndOthersRunBesideAPingPong) {
  caf::actor ping = NewPerson(), pong;
  auto over = std::make_shared<std::atomic<bool>>(false);
  std::function<void(caf::event_based_actor*, caf::actor)> play =
      [&play, over](caf::event_based_actor* self, caf::actor other) {
        if (*over) return;
        caf::actor me(self);
        self->send(other, Task{[&play, me](caf::event_based_actor* they) {
                     play(they, me);
                   }});
      };
  pong = NewPerson();
  Do(ping, [&](caf::event_based_actor* self) { play(self, pong); });
  WaitForTimer(*io_, absl::Milliseconds(1));
  caf::actor third = NewPerson(Noted());
  caf::anon_send(third, 3);
  EXPECT_TRUE(trace_->WaitFor("3"));
  *over = true;
  WaitForIteration(*io_);
  WaitForIteration(*io_);
}

// However many messages are sent at once, the loop looks at its timers between.
TEST_F(ResidentLineTest, LetsTimersRunBesideAFlood) {
  int heard = 0, heard_then = 0;
  std::promise<void> done;
  caf::actor sender = NewPerson(), receiver = NewPerson([&](int) {
                                     if (++heard == 200'000) done.set_value();
                                   });
  TimerObserver timer =
      SpawnResident<caf::hidden>(host(), [&](Resident<TimerObserver::base>*) {
        return TimerObserver::behavior_type{
            [&](const TimerFired&) { heard_then = heard; }};
      });
  Do(sender, [&](caf::event_based_actor* self) {
    host().StartTimer(TimerId::Next(), absl::ZeroDuration(),
                      caf::actor_cast<caf::weak_actor_ptr>(timer));
    for (int i = 0; i < 200'000; ++i) self->send(receiver, Number{i});
  });
  done.get_future().wait();
  EXPECT_GT(heard_then, 0);
  EXPECT_LT(heard_then, 100'000);
}

TEST_F(ResidentLineTest, AnswersRequestsInOrder) {
  caf::actor asker = NewPerson(), answerer = NewPerson();
  Do(asker, [&](caf::event_based_actor* self) {
    for (int i = 1; i <= 3; ++i) {
      self->request(answerer, caf::infinite, Question{i})
          .then([this](int number) {
            trace_->Add(absl::StrCat("answer ", number));
          });
    }
  });
  ASSERT_TRUE(trace_->WaitFor("answer 3"));
  EXPECT_THAT(trace_->events(),
              ElementsAre("answer 1", "answer 2", "answer 3"));
}

// What comes while it awaits an answer waits, too, in its order.
TEST_F(ResidentLineTest, WaitsForAnActorThatAwaits) {
  caf::actor asker = NewPerson(Noted()), answerer = NewPerson();
  caf::actor sender = NewPerson();
  Do(sender, [&](caf::event_based_actor* self) {
    self->send(
        asker, Task{[&](caf::event_based_actor* me) {
          me->request(answerer, caf::infinite, Question{0}).await([this](int) {
            trace_->Add("answer");
          });
        }});
    for (int i = 1; i <= 3; ++i) self->send(asker, Number{i});
  });
  ASSERT_TRUE(trace_->WaitFor("3"));
  EXPECT_THAT(trace_->events(), ElementsAre("answer", "1", "2", "3"));
}

TEST_F(ResidentLineTest, KeepsWhatItsReceiverSkips) {
  *skips_ = true;
  caf::actor receiver = NewPerson(Noted()), sender = NewPerson();
  Do(sender, [&](caf::event_based_actor* self) {
    self->send(receiver, Skippable{1});
    self->send(receiver, Skippable{2});
  });
  WaitForIteration(*io_);
  EXPECT_THAT(trace_->events(), ElementsAre());
  Do(sender, [&](caf::event_based_actor* self) {
    *skips_ = false;
    self->send(receiver, Number{0});
  });
  ASSERT_TRUE(trace_->WaitFor("2"));
  EXPECT_THAT(trace_->events(), ElementsAre("0", "1", "2"));
}

// Asked before it ended, and handled after.
TEST_F(ResidentLineTest, BouncesRequestsToTheDead) {
  caf::actor asker = NewPerson(), mortal = NewPerson();
  Do(asker, [&](caf::event_based_actor* self) {
    self->send(mortal, Task{[](caf::event_based_actor* it) { it->quit(); }});
    self->request(mortal, caf::infinite, Question{1})
        .then([](int) { ADD_FAILURE() << "the dead answer"; },
              [this](const caf::error&) { trace_->Add("bounced"); });
  });
  ASSERT_TRUE(trace_->WaitFor("bounced"));
}

TEST_F(ResidentLineTest, GoesOnWhenAReceiverThrows) {
  caf::actor sender = NewPerson(), other = NewPerson(Noted());
  caf::actor bad = NewPerson([](int) { throw std::runtime_error("boom"); });
  Do(sender, [&](caf::event_based_actor* self) {
    self->send(bad, Number{1});
    self->send(other, Number{2});
  });
  ASSERT_TRUE(trace_->WaitFor("2"));
  EXPECT_TRUE(HasEnded(caf::actor_cast<caf::strong_actor_ptr>(bad)));
}

// The last handle is in the line.
TEST_F(ResidentLineTest, KeepsItsReceiversAlive) {
  caf::actor sender = NewPerson(), receiver = NewPerson(Noted());
  Do(sender, [&](caf::event_based_actor* self) {
    self->send(receiver, Number{1});
    receiver = nullptr;
  });
  ASSERT_TRUE(trace_->WaitFor("1"));
}

TEST_F(ResidentLineTest, AnswersAPlainMessageWhoseHandlerReturnsSomething) {
  caf::actor answerer = NewPerson(), asker = NewPerson(Noted());
  Do(asker,
     [&](caf::event_based_actor* self) { self->send(answerer, Question{7}); });
  ASSERT_TRUE(trace_->WaitFor("7"));
}

// A handler runs while the sender's does.
class ActivateNowTest : public ResidentLineTest {
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

// Bounced like all that is asked of the dead, or the end would not come.
TEST_F(ResidentLineTest, IsEmptiedWhenItsHostStops) {
  caf::actor receiver = NewPerson(), sender = NewPerson();
  std::atomic<int> asked{0};
  std::function<void(caf::event_based_actor*)> ask =
      [&](caf::event_based_actor* self) {
        ++asked;
        self->request(receiver, caf::infinite, Question{1}).then([](int) {});
        self->send(self, Task{ask});
      };
  caf::anon_send(sender, Task{ask});
  while (asked < 1000) std::this_thread::yield();
  io_->Stop();
  EXPECT_EQ(host().resident_count(), 0u);
  system_->await_all_actors_done();
}

}  // namespace
}  // namespace troupe
