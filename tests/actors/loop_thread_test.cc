// A loop on a thread of its own. No row of asyncio's: there it is a thread that
// calls run_forever.
#include "actors/loop_thread.h"

#include <pthread.h>
#include <signal.h>

#include <future>
#include <latch>
#include <memory>
#include <string>
#include <thread>

#include "absl/time/time.h"
#include "actors/loop_messages.h"
#include "caf/scoped_actor.hpp"
#include "caf/send.hpp"
#include "gtest/gtest.h"
#include "tests/support/loop_fixture.h"

namespace troupe {
namespace {

class LoopThreadTest : public LoopFixture {
 protected:
  std::unique_ptr<LoopThread> StartThread(const std::string& name = "loop") {
    auto thread = LoopThread::Start(*system_, {.loop = {}, .name = name});
    EXPECT_TRUE(thread.ok()) << thread.status();
    return *std::move(thread);
  }

  // What `f` returns on the loop's thread.
  template <class F>
  static auto On(Loop& loop, F f) {
    std::promise<decltype(f())> result;
    loop.CallSoonThreadsafe([&] { result.set_value(f()); });
    return result.get_future().get();
  }
};

TEST_F(LoopThreadTest, RunsCallbacksOnAThreadWithItsName) {
  auto thread = StartThread("a name that is too long");
  EXPECT_TRUE(thread->loop().IsRunning());
  EXPECT_NE(On(thread->loop(), [] { return std::this_thread::get_id(); }),
            std::this_thread::get_id());
  EXPECT_EQ(On(thread->loop(), [] { return Loop::Running(); }),
            &thread->loop());
  EXPECT_EQ(On(thread->loop(),
               [] {
                 char name[16] = "";
                 pthread_getname_np(pthread_self(), name, sizeof name);
                 return std::string(name);
               }),
            "a name that is ");
}

TEST_F(LoopThreadTest, TakesNoSignals) {
  auto thread = StartThread();
  sigset_t mask = On(thread->loop(), [] {
    sigset_t blocked;
    pthread_sigmask(SIG_BLOCK, nullptr, &blocked);
    return blocked;
  });
  EXPECT_TRUE(sigismember(&mask, SIGUSR1));
  EXPECT_TRUE(sigismember(&mask, SIGINT));
  sigset_t ours;
  pthread_sigmask(SIG_BLOCK, nullptr, &ours);
  EXPECT_FALSE(sigismember(&ours, SIGUSR1));
}

TEST_F(LoopThreadTest, ClosesItsLoopOnItsThreadWhenItIsStopped) {
  auto thread = StartThread();
  const auto id = On(thread->loop(), [] { return std::this_thread::get_id(); });
  std::thread::id destroyed_on;
  std::shared_ptr<int> captured(new int, [&](int* value) {
    destroyed_on = std::this_thread::get_id();
    delete value;
  });
  thread->loop().CallSoonThreadsafe(
      [&loop = thread->loop(), captured = std::move(captured)]() mutable {
        loop.CallLater(absl::Hours(1), [c = std::move(captured)] {});
      });
  thread->Stop();
  EXPECT_TRUE(thread->loop().IsClosed());
  EXPECT_EQ(destroyed_on, id);
  EXPECT_FALSE(thread->loop().CallSoonThreadsafe([] {}).status().ok());
  thread->Stop();  // again is nothing
}

TEST_F(LoopThreadTest, RunsBesideOthers) {
  auto one = StartThread("one");
  auto two = StartThread("two");
  std::latch both(2);  // each waits until the other is inside a callback, too
  auto meet = [&] {
    both.arrive_and_wait();
    return true;
  };
  std::promise<void> met;
  one->loop().CallSoonThreadsafe([&] {
    meet();
    met.set_value();
  });
  EXPECT_TRUE(On(two->loop(), meet));
  met.get_future().get();
}

TEST_F(LoopThreadTest, TakesMessagesFromAnywhere) {
  auto thread = StartThread();
  const LoopActor actor = thread->loop().actor();
  std::promise<std::thread::id> ran;
  caf::anon_send(actor,
                 CallSoon{[&] { ran.set_value(std::this_thread::get_id()); }});
  EXPECT_NE(ran.get_future().get(), std::this_thread::get_id());
}

TEST_F(LoopThreadTest, EndsWhenItsLoopIsStoppedByAMessage) {
  auto thread = StartThread();
  LoopActor actor = thread->loop().actor();
  caf::scoped_actor self(*actors_);
  self->monitor(actor);
  caf::anon_send(actor, StopLoop{});
  self->receive([](const caf::down_msg&) {});
  actor = LoopActor();
  thread.reset();  // joins; the fixture counts threads and descriptors
}

}  // namespace
}  // namespace troupe
