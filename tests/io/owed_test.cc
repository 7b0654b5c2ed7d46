#include "io/owed.h"

#include <chrono>
#include <memory>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "caf/actor_addr.hpp"
#include "caf/actor_cast.hpp"
#include "caf/actor_system.hpp"
#include "caf/actor_system_config.hpp"
#include "caf/exit_reason.hpp"
#include "caf/replies_to.hpp"
#include "caf/scoped_actor.hpp"
#include "caf/send.hpp"
#include "caf/typed_event_based_actor.hpp"
#include "gtest/gtest.h"
#include "io/status_error.h"
#include "tests/support/leak_check.h"
#include "tests/support/yield_until.h"

namespace troupe {
namespace {

// Answers a number when it is told to; a negative one it refuses.
using Clerk =
    caf::typed_actor<caf::replies_to<int>::with<int>, caf::reacts_to<bool>>;

struct Desk {
  std::vector<Owed<int>> answers;
  std::vector<int> numbers;
};

Clerk::behavior_type Sit(Clerk::stateful_pointer<Desk> self) {
  return {
      [=](int number) {
        auto promise = self->make_response_promise<int>();
        self->state.answers.emplace_back(promise);
        self->state.numbers.push_back(number);
        return promise;
      },
      [=](bool) {
        Desk desk = std::exchange(self->state, {});
        for (size_t i = 0; i < desk.answers.size(); ++i) {
          if (desk.numbers[i] < 0) {
            desk.answers[i].Refuse(MakeError(absl::NotFoundError("none")));
          } else {
            desk.answers[i].Deliver(desk.numbers[i]);
          }
          EXPECT_FALSE(desk.answers[i].pending());
          desk.answers[i].Deliver(0);  // does nothing
        }
      },
  };
}

constexpr auto kPatience = std::chrono::seconds(20);

class OwedTest : public LeakCheckedTest {
 protected:
  // What the request was answered with; -1 and a status for an error.
  template <class Response>
  int AnswerOf(Response response) {
    int got = -1;
    response.receive([&](int number) { got = number; },
                     [&](const caf::error& why) { why_ = StatusOf(why); });
    return got;
  }

  caf::actor_system_config config_;
  caf::actor_system system_{config_};
  absl::Status why_;
};

TEST_F(OwedTest, IsDeliveredOrRefusedOnce) {
  Clerk clerk = system_.spawn(Sit);
  caf::scoped_actor self(system_);
  auto good = self->request(clerk, kPatience, 7);
  auto bad = self->request(clerk, kPatience, -7);
  self->send(clerk, true);
  EXPECT_EQ(AnswerOf(std::move(good)), 7);
  EXPECT_EQ(AnswerOf(std::move(bad)), -1);
  EXPECT_EQ(why_, absl::NotFoundError("none"));
}

TEST_F(OwedTest, IsRefusedWhenWhoOwesItEnds) {
  Clerk clerk = system_.spawn(Sit);
  caf::scoped_actor self(system_);
  auto answer = self->request(clerk, kPatience, 7);
  caf::anon_send_exit(clerk, caf::exit_reason::kill);
  EXPECT_EQ(AnswerOf(std::move(answer)), -1);
  EXPECT_EQ(why_, absl::CancelledError("who was asked has ended"));
}

// The one that is replaced is not forgotten either.
TEST_F(OwedTest, IsRefusedWhenAnotherTakesItsPlace) {
  struct Slot {
    Owed<int> answer;
  };
  Clerk clerk = system_.spawn(
      [](Clerk::stateful_pointer<Slot> self) -> Clerk::behavior_type {
        return {
            [=](int) {
              auto promise = self->make_response_promise<int>();
              self->state.answer = Owed<int>(promise);
              return promise;
            },
            [=](bool) { self->state.answer.Deliver(8); },
        };
      });
  caf::scoped_actor self(system_);
  auto first = self->request(clerk, kPatience, 7);
  auto second = self->request(clerk, kPatience, 7);
  EXPECT_EQ(AnswerOf(std::move(first)), -1);
  EXPECT_TRUE(absl::IsCancelled(why_));
  self->send(clerk, true);
  EXPECT_EQ(AnswerOf(std::move(second)), 8);
  caf::anon_send_exit(clerk, caf::exit_reason::user_shutdown);
}

// Also where nobody waits, of whom CAF would not let go, and though the answer
// is still a member.
TEST_F(OwedTest, KeepsNobodyAliveWhenItIsOver) {
  struct Slot {
    Owed<int> answer;
  };
  for (bool deliver : {false, true}) {
    Clerk clerk = system_.spawn<caf::hidden>(
        [=](Clerk::stateful_pointer<Slot> self) -> Clerk::behavior_type {
          return {
              [=](int) {
                auto promise = self->make_response_promise<int>();
                self->state.answer = Owed<int>(promise);
                return promise;
              },
              [=](bool) {
                if (deliver) return self->state.answer.Deliver(8);
                self->state.answer.Refuse(
                    MakeError(absl::NotFoundError("none")));
              },
          };
        });
    caf::anon_send(clerk, 7);
    caf::anon_send(clerk, true);
    const caf::actor_addr address = clerk.address();
    clerk = nullptr;
    EXPECT_TRUE(YieldUntil([&] {
      return caf::actor_cast<caf::strong_actor_ptr>(address) == nullptr;
    }));
  }
}

TEST_F(OwedTest, IsRefusedWithTheLastOfThoseThatShareIt) {
  std::shared_ptr<Owed<int>> shared;
  Clerk clerk = system_.spawn([&](Clerk::pointer self) -> Clerk::behavior_type {
    return {
        [&, self](int) {
          auto promise = self->make_response_promise<int>();
          shared = ShareOwed(promise);
          return promise;
        },
        [&](bool) { shared.reset(); },
    };
  });
  caf::scoped_actor self(system_);
  auto answer = self->request(clerk, kPatience, 7);
  self->send(clerk, true);
  EXPECT_EQ(AnswerOf(std::move(answer)), -1);
  EXPECT_TRUE(absl::IsCancelled(why_));
  caf::anon_send_exit(clerk, caf::exit_reason::user_shutdown);
}

}  // namespace
}  // namespace troupe
