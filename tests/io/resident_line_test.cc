// Messages between residents of one host, which do not pass mailboxes: nobody
// can tell.
#include <atomic>
#include <chrono>
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
#include "caf/event_based_actor.hpp"
#include "caf/send.hpp"
#include "caf/typed_actor.hpp"
#include "caf/typed_event_based_actor.hpp"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "io/io_host.h"
#include "io/io_messages.h"
#include "io/resident.h"
#include "io/timer_id.h"
#include "tests/io/person.h"

namespace troupe {
namespace {

using ::testing::ElementsAre;

using ResidentLineTest = PersonTest;

void SpinFor(std::chrono::steady_clock::duration time) {
  const auto end = std::chrono::steady_clock::now() + time;
  while (std::chrono::steady_clock::now() < end) {
  }
}

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

// However long messages take that were sent at once.
TEST_F(ResidentLineTest, LetsTimersRunBesideSlowMessages) {
  constexpr int kAll = 400;
  int heard = 0, heard_then = 0;
  std::promise<void> done;
  caf::actor sender = NewPerson(), receiver = NewPerson([&](int) {
                                     SpinFor(std::chrono::microseconds(50));
                                     if (++heard == kAll) done.set_value();
                                   });
  TimerObserver timer =
      SpawnResident<caf::hidden>(host(), [&](Resident<TimerObserver::base>*) {
        return TimerObserver::behavior_type{
            [&](const TimerFired&) { heard_then = heard; }};
      });
  WaitForIteration(*io_);
  Do(sender, [&](caf::event_based_actor* self) {
    host().StartTimer(TimerId::Next(), absl::ZeroDuration(),
                      caf::actor_cast<caf::weak_actor_ptr>(timer));
    for (int i = 0; i < kAll; ++i) self->send(receiver, Number{i});
  });
  done.get_future().wait();
  EXPECT_GT(heard_then, 0);
  EXPECT_LT(heard_then, kAll / 2);
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
