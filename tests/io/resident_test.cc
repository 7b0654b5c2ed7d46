#include "io/resident.h"

#include <time.h>

#include <atomic>
#include <functional>
#include <future>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "caf/actor_registry.hpp"
#include "caf/allowed_unsafe_message_type.hpp"
#include "caf/exit_reason.hpp"
#include "caf/replies_to.hpp"
#include "caf/scoped_actor.hpp"
#include "caf/send.hpp"
#include "caf/typed_actor.hpp"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/io_fixture.h"

namespace troupe {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

// Adds, answers its sum, throws at a negative number.
using Adder = caf::typed_actor<caf::replies_to<int>::with<int>>;

struct Sum {
  explicit Sum(Adder::stateful_base<Sum>*) {}
  ~Sum() {
    if (gone != nullptr) ++*gone;
  }
  int value = 0;
  std::atomic<int>* gone = nullptr;
};

Adder::behavior_type AdderActor(StatefulResident<Adder, Sum>* self,
                                std::atomic<int>* gone) {
  self->state.gone = gone;
  return {
      [=](int n) -> int {
        if (n < 0) throw std::runtime_error("negative");
        return self->state.value += n;
      },
  };
}

// Runs what it is sent.
using Task = std::function<void()>;
using Runner = caf::typed_actor<caf::reacts_to<Task>>;

}  // namespace
}  // namespace troupe

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::Task)

namespace troupe {
namespace {

Runner::behavior_type RunnerActor(Resident<Runner::base>*) {
  return {[](const Task& task) { task(); }};
}

Runner::behavior_type WorkerRunner(Runner::pointer) {
  return {[](const Task& task) { task(); }};
}

class ResidentTest : public IoTest {
 protected:
  Adder NewAdder() { return SpawnResident(host(), AdderActor, &gone_); }

  // The answer's text, or the error's.
  std::string Add(const Adder& adder, int n) {
    std::string text;
    caf::scoped_actor self(*system_);
    self->request(adder, caf::infinite, n)
        .receive([&](int sum) { text = std::to_string(sum); },
                 [&](const caf::error& why) { text = to_string(why); });
    return text;
  }

  std::atomic<int> gone_{0};
};

TEST_F(ResidentTest, AnswersTypedRequests) {
  Adder adder = NewAdder();
  EXPECT_EQ(Add(adder, 2), "2");
  EXPECT_EQ(Add(adder, 3), "5");
}

TEST_F(ResidentTest, KeepsTheOrderOfEachSender) {
  using Counter = caf::typed_actor<caf::reacts_to<int, int>>;
  constexpr int kThreads = 4, kEach = 100000;
  struct Seen {
    int next[kThreads] = {};
    int wrong = 0, total = 0;
  };
  auto seen = std::make_shared<Seen>();
  auto done = std::make_shared<std::promise<void>>();
  Counter::behavior_type (*body)(Resident<Counter::base>*,
                                 std::shared_ptr<Seen>,
                                 std::shared_ptr<std::promise<void>>) =
      [](Resident<Counter::base>*, std::shared_ptr<Seen> seen,
         std::shared_ptr<std::promise<void>> done) -> Counter::behavior_type {
    return {[=](int sender, int n) {
      seen->wrong += seen->next[sender]++ != n;
      if (++seen->total == kThreads * kEach) done->set_value();
    }};
  };
  Counter counter = SpawnResident(host(), body, seen, done);
  std::vector<std::thread> threads;
  for (int i = 0; i < kThreads; ++i) {
    threads.emplace_back([=] {
      for (int n = 0; n < kEach; ++n) caf::anon_send(counter, i, n);
    });
  }
  for (std::thread& thread : threads) thread.join();
  done->get_future().wait();
  EXPECT_EQ(seen->wrong, 0);
}

TEST_F(ResidentTest, RunsOnItsThreadAndTheOthersDoNot) {
  Runner resident = SpawnResident(host(), RunnerActor);
  Runner worker = system_->spawn(WorkerRunner);
  auto note = [this](std::string who) {
    trace_->Add(who + (host().OnThread() ? " inside" : " outside"));
  };
  caf::anon_send(resident, Task([=] {
                   note("resident");
                   caf::anon_send(worker, Task([=] {
                                    note("worker");
                                    caf::anon_send(
                                        resident, Task([=] { note("again"); }));
                                  }));
                 }));
  ASSERT_TRUE(trace_->WaitFor("again inside"));
  EXPECT_THAT(trace_->events(),
              ElementsAre("resident inside", "worker outside", "again inside"));
}

TEST_F(ResidentTest, PutsAnActorThatItSpawnsPlainlyOnAWorker) {
  Runner resident = SpawnResident(host(), RunnerActor);
  caf::anon_send(resident, Task([this] {
                   Runner other = system_->spawn(WorkerRunner);
                   caf::anon_send(
                       other, Task([this] {
                         trace_->Add(host().OnThread() ? "inside" : "outside");
                       }));
                 }));
  ASSERT_TRUE(trace_->WaitFor("outside"));
}

// Through its mailbox, from a neighbour by the line, and after it has spawned
// and sent.
TEST_F(ResidentTest, TellsHandlersWhoseTheyAre) {
  auto resident = [](const Runner& runner) {
    return dynamic_cast<ResidentBase*>(
        caf::actor_cast<caf::abstract_actor*>(runner));
  };
  const Runner a = SpawnResident(host(), RunnerActor);
  const Runner b = SpawnResident(host(), RunnerActor);
  std::vector<ResidentBase*> running;
  auto note = [&] { running.push_back(ResidentBase::Running()); };
  for (int i = 0; i < 2; ++i) {
    std::promise<void> done;
    caf::anon_send(a, Task([&] {
                     note();
                     const Runner c = SpawnResident(host(), RunnerActor);
                     for (const Runner& other : {c, b}) {
                       caf::anon_send(other, Task([&] {}));
                     }
                     caf::anon_send(b, Task([&] {
                                      note();
                                      done.set_value();
                                    }));
                     note();
                   }));
    done.get_future().wait();
  }
  EXPECT_THAT(running, ElementsAre(resident(a), resident(a), resident(b),
                                   resident(a), resident(a), resident(b)));
  EXPECT_EQ(ResidentBase::Running(), nullptr);
}

TEST_F(ResidentTest, EndsAloneWhenItThrows) {
  Adder bad = NewAdder(), good = NewAdder();
  EXPECT_THAT(Add(bad, -1), HasSubstr("negative"));
  while (!HasEnded(caf::actor_cast<caf::strong_actor_ptr>(bad))) {
    std::this_thread::yield();
  }
  EXPECT_THAT(Add(bad, 1), HasSubstr("request_receiver_down"));
  EXPECT_EQ(Add(good, 1), "1");
}

using ResidentDeathTest = ResidentTest;

TEST_F(ResidentDeathTest, AbortsWhenItIsSpawnedWithoutAHost) {
  ::testing::FLAGS_gtest_death_test_style = "threadsafe";
  EXPECT_DEATH(system_->spawn(RunnerActor), "spawned without a host");
}

TEST_F(ResidentTest, LeavesNothingOfTenThousand) {
  size_t residents = host().resident_count();
  size_t running = system_->registry().running();
  for (int i = 0; i < 10000; ++i) {
    caf::anon_send_exit(NewAdder(), caf::exit_reason::user_shutdown);
  }
  system_->await_all_actors_done();
  EXPECT_EQ(gone_, 10000);
  EXPECT_EQ(host().resident_count(), residents);
  EXPECT_EQ(system_->registry().running(), running);
}

TEST_F(ResidentTest, IsKilledWhenItsHostStops) {
  std::vector<Adder> adders;
  for (int i = 0; i < 100; ++i) adders.push_back(NewAdder());
  Add(adders.back(), 1);
  io_->Stop();
  EXPECT_EQ(gone_, 100);
  EXPECT_EQ(host().resident_count(), 0u);
  system_->await_all_actors_done();
  EXPECT_THAT(Add(adders[0], 1), HasSubstr("request_receiver_down"));
}

TEST_F(ResidentTest, IsDeadWhenItIsSpawnedOnAStoppedHost) {
  io_->Stop();
  Adder adder = NewAdder();
  EXPECT_THAT(Add(adder, 1), HasSubstr("request_receiver_down"));
  EXPECT_EQ(gone_, 0) << "its behaviour never began";
  EXPECT_EQ(host().resident_count(), 0u);
  system_->await_all_actors_done();
}

// Every request is answered or bounced, wherever the stop meets it.
TEST_F(ResidentTest, AnswersOrBouncesWhatIsAskedWhileItsHostStops) {
  std::vector<std::thread> threads;
  std::atomic<int> asked{0};
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([this, &asked, adder = NewAdder()] {
      while (Add(adder, 1).find("down") == std::string::npos) ++asked;
    });
  }
  while (asked < 100) std::this_thread::yield();
  io_->Stop();
  for (std::thread& thread : threads) thread.join();
  system_->await_all_actors_done();
}

// The end does not wait until somebody stops spawning.
TEST_F(ResidentTest, MayBeSpawnedWhileItsHostStops) {
  std::atomic<int> spawned{0};
  std::atomic<bool> over{false};
  std::thread spawner([&] {
    while (!over) {
      caf::anon_send(NewAdder(), 1);
      ++spawned;
    }
  });
  while (spawned < 100) std::this_thread::yield();
  io_->Stop();
  over = true;
  spawner.join();
  system_->await_all_actors_done();
  EXPECT_EQ(host().resident_count(), 0u);
}

TEST_F(ResidentTest, PlaysWithAResidentOfAnotherHost) {
  auto other = *IoThread::Start(*system_);
  using Player = caf::typed_actor<caf::reacts_to<int>>;
  struct Game {
    Player players[2];
    std::promise<void> over;
    std::atomic<int> wrong{0};
  };
  auto game = std::make_shared<Game>();
  Player::behavior_type (*body)(Resident<Player::base>*, Game*, int) =
      [](Resident<Player::base>* self, Game* game,
         int me) -> Player::behavior_type {
    return {[=](int n) {
      game->wrong += !self->host().OnThread();
      if (n == 0) {
        game->over.set_value();
      } else {
        self->send(game->players[1 - me], n - 1);
      }
    }};
  };
  game->players[0] = SpawnResident(host(), body, game.get(), 0);
  game->players[1] = SpawnResident(other->host(), body, game.get(), 1);
  caf::anon_send(game->players[0], 20000);
  game->over.get_future().wait();
  EXPECT_EQ(game->wrong, 0);
  for (Player& player : game->players) {
    caf::anon_send_exit(std::exchange(player, {}),
                        caf::exit_reason::user_shutdown);
  }
  system_->await_all_actors_done();
}

// A host must not wake up for nothing: two selectors, a fired timer each.
TEST_F(ResidentTest, SleepsWhenThereIsNothingToDo) {
  IoThread::Options options;
  options.selector = SelectorKind::kPoll;
  auto other = *IoThread::Start(*system_, options);
  for (IoThread* thread : {io_.get(), other.get()}) WaitForIteration(*thread);
  timespec before, after;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &before);
  WaitForTimer(*io_, absl::Milliseconds(300));
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &after);
  double busy =
      after.tv_sec - before.tv_sec + (after.tv_nsec - before.tv_nsec) / 1e9;
  EXPECT_LT(busy, 0.03) << "seconds of processor in 0.3 s";
}

}  // namespace
}  // namespace troupe
