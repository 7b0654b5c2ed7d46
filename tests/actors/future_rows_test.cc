// What takes the place of asyncio's futures, tasks and executors: response
// promises, actors, and the threads that actors run on.
#include <unistd.h>

#include <atomic>
#include <future>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "actors/loop.h"
#include "caf/event_based_actor.hpp"
#include "caf/exit_reason.hpp"
#include "caf/send.hpp"
#include "caf/typed_event_based_actor.hpp"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "io/io_thread.h"
#include "io/resident.h"
#include "io/status_error.h"
#include "tests/support/descriptors.h"
#include "tests/support/loop_fixture.h"

namespace troupe {
namespace {

using ::testing::ElementsAre;

using Asked = caf::typed_actor<caf::replies_to<int>::with<int>>;
using Promise = caf::typed_response_promise<int>;

class FutureRowsTest : public LoopFixture {
 protected:
  // An actor that keeps its promise for the test to settle.
  Asked NewAsked(Promise* promise) {
    return SpawnResident<caf::hidden>(
        loop_->host(), [=](Resident<Asked::base>* self) {
          return Asked::behavior_type{[=](int) {
            *promise = self->make_response_promise<int>();
            return *promise;
          }};
        });
  }
  // An actor that asks it once and writes down what it hears.
  caf::actor NewAsker(Asked asked) {
    return SpawnResident<caf::hidden>(
        loop_->host(), [=, this](Resident<caf::event_based_actor>* self) {
          self->request(asked, caf::infinite, 1)
              .then(
                  [=, this](int answer) {
                    told_.push_back(std::to_string(answer));
                  },
                  [=, this](const caf::error& why) {
                    told_.push_back("error: " +
                                    std::string(StatusOf(why).message()));
                  });
          told_.push_back("asked");
          return caf::behavior{[](float) {}};
        });
  }
  void Iterate(int times = 3) {
    for (int i = 0; i < times; ++i) ASSERT_TRUE(loop_->RunOnce().ok());
  }
};

// Row L23: the answer runs what waits for it later, never inside.
TEST_F(FutureRowsTest, AnAnswerIsHandledLaterAndNotInside) {
  Promise promise;
  Asked asked = NewAsked(&promise);
  caf::actor asker = NewAsker(asked);
  Iterate();
  EXPECT_THAT(told_, ElementsAre("asked"));
  EXPECT_TRUE(promise.pending());
  promise.deliver(7);
  EXPECT_THAT(told_, ElementsAre("asked"));
  Iterate();
  EXPECT_THAT(told_, ElementsAre("asked", "7"));
}

// Row L23, where asyncio raises InvalidStateError.
TEST_F(FutureRowsTest, APromiseIsSettledOnce) {
  Promise promise;
  Asked asked = NewAsked(&promise);
  caf::actor asker = NewAsker(asked);
  Iterate();
  promise.deliver(7);
  EXPECT_FALSE(promise.pending());
  promise.deliver(8);
  promise.deliver(MakeError(absl::InternalError("late")));
  Iterate();
  EXPECT_THAT(told_, ElementsAre("asked", "7"));
}

// Row L23: an exception is a typed error, of any kind (L24's has no special
// place here).
TEST_F(FutureRowsTest, APromiseMayBeSettledWithAnError) {
  Promise promise;
  Asked asked = NewAsked(&promise);
  caf::actor asker = NewAsker(asked);
  Iterate();
  promise.deliver(MakeError(absl::InternalError("boom")));
  Iterate();
  EXPECT_THAT(told_, ElementsAre("asked", "error: boom"));
}

// Row L23's cancel: whoever does not want the answer any more ends; the asked
// may answer into the void.
TEST_F(FutureRowsTest, AnAskerThatEndsHearsNothing) {
  Promise promise;
  Asked asked = NewAsked(&promise);
  caf::actor asker = NewAsker(asked);
  Iterate();
  caf::anon_send_exit(asker, caf::exit_reason::user_shutdown);
  Iterate();
  promise.deliver(7);
  Iterate();
  EXPECT_THAT(told_, ElementsAre("asked"));
}

// Row L25: what happens to an actor is told to those who monitor it, with the
// exception's text; nobody has to retrieve it.
TEST_F(FutureRowsTest, AnActorsExceptionIsTheReasonOfItsEnd) {
  auto thrower = SpawnResident<caf::hidden>(
      loop_->host(), [](Resident<caf::event_based_actor>*) {
        return caf::behavior{[](int) { throw std::runtime_error("boom"); }};
      });
  auto watcher = SpawnResident<caf::hidden>(
      loop_->host(), [&](Resident<caf::event_based_actor>* self) {
        self->monitor(thrower);
        self->set_down_handler([&](const caf::down_msg& down) {
          told_.push_back(to_string(down.reason));
        });
        return caf::behavior{[](float) {}};
      });
  caf::anon_send(thrower, 1);
  Iterate();
  ASSERT_EQ(told_.size(), 1u);
  EXPECT_THAT(told_[0], ::testing::HasSubstr("boom"));
}

// Row L26: blocking work runs on CAF's workers; the loop goes on.
TEST_F(FutureRowsTest, BlockingWorkRunsOnAWorkerWhileTheLoopGoesOn) {
  auto [in, out] = MakePipe();
  const int number = in.get();
  const std::thread::id loop_thread = std::this_thread::get_id();
  Asked blocker =
      actors_->spawn<caf::hidden>([=](Asked::pointer) -> Asked::behavior_type {
        return {[=](int) {
          EXPECT_NE(std::this_thread::get_id(), loop_thread);
          char byte = 0;
          return read(number, &byte, 1) == 1 ? int{byte} : -1;
        }};
      });
  loop_->CallSoon([&end = out] { WriteFully(end, "\x2a"); });
  auto answer = loop_->RunUntilComplete<int>(blocker, 1);
  ASSERT_TRUE(answer.ok()) << answer.status();
  EXPECT_EQ(*answer, 42);
}

// Row L26: or on a thread of its own.
TEST_F(FutureRowsTest, BlockingWorkMayHaveAThreadOfItsOwn) {
  auto [in, out] = MakePipe();
  auto io = IoThread::Start(*actors_, {.name = "blocker"});
  ASSERT_TRUE(io.ok());
  Asked blocker = SpawnResident<caf::hidden>(
      (*io)->host(),
      [number = in.get()](Resident<Asked::base>*) -> Asked::behavior_type {
        return {[=](int) {
          char byte = 0;
          return read(number, &byte, 1) == 1 ? int{byte} : -1;
        }};
      });
  loop_->CallSoon([&end = out] { WriteFully(end, "\x2a"); });
  auto answer = loop_->RunUntilComplete<int>(blocker, 1);
  ASSERT_TRUE(answer.ok()) << answer.status();
  EXPECT_EQ(*answer, 42);
}

}  // namespace
}  // namespace troupe
