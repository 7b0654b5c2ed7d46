// Signals as messages: core rule 7 and rows S1 to S22, through the actor.
#include "signals/signal_relay.h"

#include <pthread.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <future>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "caf/event_based_actor.hpp"
#include "caf/exit_reason.hpp"
#include "caf/scoped_actor.hpp"
#include "caf/send.hpp"
#include "caf/typed_event_based_actor.hpp"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "io/resident.h"
#include "io/status_error.h"
#include "tests/support/io_fixture.h"

namespace troupe {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

// Writes down `name number`, and the value of a real-time signal.
struct Listener {
  std::shared_ptr<Trace> trace;
  std::string name;
  std::shared_ptr<std::atomic<uint64_t>> sum;

  void operator()(const SignalReceived& got) const {
    if (sum != nullptr) {
      *sum += got.delivery.count;
      return;
    }
    std::string text = absl::StrCat(name, " ", got.delivery.number);
    if (got.delivery.code == SI_QUEUE) {
      absl::StrAppend(&text, "=", got.delivery.value.sival_int);
    }
    trace->Add(text);
  }
};

SignalObserver::behavior_type OnWorker(SignalObserver::pointer, Listener to) {
  return {[=](const SignalReceived& got) { to(got); }};
}
SignalObserver::behavior_type OnIoThread(Resident<SignalObserver::base>*,
                                         Listener to) {
  return {[=](const SignalReceived& got) { to(got); }};
}

std::atomic<int> earlier_runs;
void Earlier(int) { ++earlier_runs; }

sighandler_t DispositionOf(int number) {
  struct sigaction action;
  sigaction(number, nullptr, &action);
  return action.sa_handler;
}

class SignalRelayTest : public IoTest {
 protected:
  SignalRelayTest() {
    earlier_runs = 0;
    relay_ = New();
  }
  ~SignalRelayTest() override {
    relay_ = SignalRelay();
    if (io_ != nullptr) io_->Stop();
    for (int number : {SIGUSR1, SIGUSR2, SIGTERM, SIGRTMIN}) {
      EXPECT_EQ(DispositionOf(number), before_[number]) << number;
    }
    signal(SIGUSR1, SIG_DFL);
    signal(SIGUSR2, SIG_DFL);
  }

  SignalRelay New() {
    auto relay = SpawnSignalRelay(host(), io());
    EXPECT_TRUE(relay.ok()) << relay.status();
    return relay.ok() ? *relay : SignalRelay();
  }

  SignalObserver Worker(std::string name) {
    return system_->spawn<caf::hidden>(OnWorker,
                                       Listener{trace_, std::move(name), {}});
  }
  SignalObserver InIo(std::string name) {
    return SpawnResident<caf::hidden>(host(), OnIoThread,
                                      Listener{trace_, std::move(name), {}});
  }
  SignalObserver Counter(std::shared_ptr<std::atomic<uint64_t>> sum) {
    return system_->spawn<caf::hidden>(OnWorker, Listener{trace_, "", sum});
  }

  // What a test sets before it subscribes, for the fixture to compare with.
  void Set(int number, sighandler_t disposition) {
    signal(number, disposition);
    before_[number] = DispositionOf(number);
  }

  std::string Subscribe(int number, SignalObserver observer) {
    std::string text;
    caf::scoped_actor self(*system_);
    self->request(relay_, caf::infinite, SubscribeToSignal{number, observer})
        .receive([](const Subscribed&) {},
                 [&](const caf::error& why) {
                   text = std::string(StatusOf(why).message());
                 });
    return text;
  }
  bool Unsubscribe(int number, SignalObserver observer) {
    bool was = false;
    caf::scoped_actor self(*system_);
    self->request(relay_, caf::infinite,
                  UnsubscribeFromSignal{number, observer})
        .receive(
            [&](const Unsubscribed& answer) { was = answer.was_subscribed; },
            [](const caf::error& why) { ADD_FAILURE() << to_string(why); });
    return was;
  }
  // Waits until the relay and `observer` have handled all that came before.
  void WaitForDisposition(int number, sighandler_t disposition) {
    while (DispositionOf(number) != disposition) std::this_thread::yield();
  }

  SignalRelay relay_;

 private:
  std::map<int, sighandler_t> before_;
};

// -- who is told --------------------------------------------------------------

TEST_F(SignalRelayTest, TellsEverySubscriberWhereverItLives) {
  auto a = Worker("a"), b = InIo("b"), c = Worker("c");
  for (const auto& observer : {a, b}) {
    EXPECT_EQ(Subscribe(SIGUSR1, observer), "");
  }
  EXPECT_EQ(Subscribe(SIGUSR2, c), "");
  kill(getpid(), SIGUSR1);
  ASSERT_TRUE(trace_->WaitFor(absl::StrCat("a ", SIGUSR1)));
  ASSERT_TRUE(trace_->WaitFor(absl::StrCat("b ", SIGUSR1)));
  kill(getpid(), SIGUSR2);
  ASSERT_TRUE(trace_->WaitFor(absl::StrCat("c ", SIGUSR2)));
  EXPECT_EQ(trace_->events().size(), 3u);
}

// Golden trace "signals USR1x5,USR2,USR1"; S11.
TEST_F(SignalRelayTest, TellsInOrderOfArrival) {
  auto u = Worker("u");
  ASSERT_EQ(Subscribe(SIGUSR1, u), "");
  ASSERT_EQ(Subscribe(SIGUSR2, u), "");
  for (int number :
       {SIGUSR1, SIGUSR1, SIGUSR1, SIGUSR1, SIGUSR1, SIGUSR2, SIGUSR1}) {
    raise(number);
  }
  ASSERT_TRUE(trace_->WaitUntil(
      [](const std::vector<std::string>& all) { return all.size() == 7; }));
  EXPECT_THAT(trace_->events(), ElementsAre("u 10", "u 10", "u 10", "u 10",
                                            "u 10", "u 12", "u 10"));
}

// Golden trace, "RT blocked x3 -> 3", "blocked x5 -> u1".
TEST_F(SignalRelayTest, TellsEachRealTimeSignalWithItsValue) {
  auto u = Worker("u");
  ASSERT_EQ(Subscribe(SIGRTMIN, u), "");
  ASSERT_EQ(Subscribe(SIGUSR1, u), "");
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGRTMIN);
  sigaddset(&set, SIGUSR1);
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
  for (int i = 0; i < 5; ++i) raise(SIGUSR1);
  for (int i = 0; i < 3; ++i) {
    sigval value{};
    value.sival_int = i;
    pthread_sigqueue(pthread_self(), SIGRTMIN, value);
  }
  EXPECT_THAT(trace_->events(), IsEmpty());
  pthread_sigmask(SIG_UNBLOCK, &set, nullptr);
  ASSERT_TRUE(trace_->WaitUntil(
      [](const std::vector<std::string>& all) { return all.size() == 4; }));
  const std::string rt = absl::StrCat("u ", SIGRTMIN);
  EXPECT_THAT(trace_->events(),
              ElementsAre("u 10", rt + "=0", rt + "=1", rt + "=2"));
}

// Who sent it, which asyncio does not tell; the name is what people read.
TEST_F(SignalRelayTest, TellsNameNumberAndSender) {
  std::promise<SignalReceived> first;
  auto a = system_->spawn<caf::hidden>(
      [&](SignalObserver::pointer self) -> SignalObserver::behavior_type {
        return {[=, &first](const SignalReceived& got) {
          first.set_value(got);
          self->quit();
        }};
      });
  ASSERT_EQ(Subscribe(SIGRTMIN + 2, a), "");
  const pid_t child = fork();
  if (child == 0) {
    sigval value{};
    value.sival_int = 42;
    _exit(sigqueue(getppid(), SIGRTMIN + 2, value));
  }
  waitpid(child, nullptr, 0);
  const SignalReceived got = first.get_future().get();
  EXPECT_EQ(got.name, "SIGRTMIN+2");
  EXPECT_EQ(got.delivery.number, SIGRTMIN + 2);
  EXPECT_EQ(got.delivery.count, 1u);
  EXPECT_EQ(got.delivery.pid, child);
  EXPECT_EQ(got.delivery.uid, getuid());
  EXPECT_EQ(got.delivery.code, SI_QUEUE);
  EXPECT_EQ(got.delivery.value.sival_int, 42);
}

TEST_F(SignalRelayTest, SubscribingTwiceIsSubscribingOnce) {
  auto a = Worker("a");
  ASSERT_EQ(Subscribe(SIGUSR1, a), "");
  ASSERT_EQ(Subscribe(SIGUSR1, a), "");
  raise(SIGUSR1);
  ASSERT_EQ(Subscribe(SIGUSR2, a), "");
  raise(SIGUSR2);
  ASSERT_TRUE(trace_->WaitFor(absl::StrCat("a ", SIGUSR2)));
  EXPECT_EQ(trace_->Count(absl::StrCat("a ", SIGUSR1)), 1u);
  EXPECT_TRUE(Unsubscribe(SIGUSR1, a));
  EXPECT_FALSE(Unsubscribe(SIGUSR1, a));
  EXPECT_EQ(DispositionOf(SIGUSR1), SIG_DFL);
}

// -- from any thread ----------------------------------------------------------

TEST_F(SignalRelayTest, TellsOfSignalsToAnyThread) {
  auto a = Worker("a");
  ASSERT_EQ(Subscribe(SIGUSR1, a), "");
  const std::string event = absl::StrCat("a ", SIGUSR1);
  pthread_kill(pthread_self(), SIGUSR1);
  ASSERT_TRUE(trace_->WaitFor(event, 1));
  std::atomic<bool> stop{false};
  std::thread other([&] {
    while (!stop) std::this_thread::yield();
  });
  pthread_kill(other.native_handle(), SIGUSR1);
  ASSERT_TRUE(trace_->WaitFor(event, 2));
  kill(getpid(), SIGUSR1);
  ASSERT_TRUE(trace_->WaitFor(event, 3));
  std::thread sender([] { kill(getpid(), SIGUSR1); });
  ASSERT_TRUE(trace_->WaitFor(event, 4));
  sender.join();
  stop = true;
  other.join();
  pid_t child = fork();
  if (child == 0) _exit(kill(getppid(), SIGUSR1));
  waitpid(child, nullptr, 0);
  ASSERT_TRUE(trace_->WaitFor(event, 5));
}

// A program may block a signal in its main thread and still be told: a worker
// takes it. (CAF's workers of this system were made before.)
TEST_F(SignalRelayTest, TellsOfASignalThatTheMainThreadBlocks) {
  auto a = Worker("a");
  ASSERT_EQ(Subscribe(SIGUSR1, a), "");
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGUSR1);
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
  kill(getpid(), SIGUSR1);
  EXPECT_TRUE(trace_->WaitFor(absl::StrCat("a ", SIGUSR1)));
  pthread_sigmask(SIG_UNBLOCK, &set, nullptr);
}

// -- leases -------------------------------------------------------------------

TEST_F(SignalRelayTest, TheLastLeaseRestoresWhatWasBefore) {
  Set(SIGUSR1, &Earlier);
  Set(SIGUSR2, SIG_IGN);
  auto a = Worker("a"), b = Worker("b");
  for (int number : {SIGUSR1, SIGUSR2}) {
    ASSERT_EQ(Subscribe(number, a), "");
    ASSERT_EQ(Subscribe(number, b), "");
    EXPECT_TRUE(Unsubscribe(number, a));
    EXPECT_NE(DispositionOf(number), number == SIGUSR1 ? &Earlier : SIG_IGN);
    EXPECT_TRUE(Unsubscribe(number, b));
  }
  EXPECT_EQ(DispositionOf(SIGUSR1), &Earlier);
  EXPECT_EQ(DispositionOf(SIGUSR2), SIG_IGN);
  raise(SIGUSR1);
  raise(SIGUSR2);
  EXPECT_EQ(earlier_runs, 1);
  EXPECT_THAT(trace_->events(), IsEmpty());
}

TEST_F(SignalRelayTest, ALeaseEndsWithItsObserver) {
  Set(SIGUSR1, &Earlier);
  auto a = Worker("a"), b = InIo("b");
  ASSERT_EQ(Subscribe(SIGUSR1, a), "");
  ASSERT_EQ(Subscribe(SIGUSR2, a), "");
  ASSERT_EQ(Subscribe(SIGUSR1, b), "");
  caf::anon_send_exit(a, caf::exit_reason::user_shutdown);
  WaitForDisposition(SIGUSR2, SIG_DFL);
  raise(SIGUSR1);  // b still has its own
  ASSERT_TRUE(trace_->WaitFor(absl::StrCat("b ", SIGUSR1)));
  caf::anon_send_exit(b, caf::exit_reason::kill);
  WaitForDisposition(SIGUSR1, &Earlier);
}

TEST_F(SignalRelayTest, ADeadObserversLeaseEndsAtOnce) {
  auto a = Worker("a");
  caf::anon_send_exit(a, caf::exit_reason::kill);
  while (!HasEnded(caf::actor_cast<caf::strong_actor_ptr>(a))) {
    std::this_thread::yield();
  }
  ASSERT_EQ(Subscribe(SIGUSR1, a), "");
  WaitForDisposition(SIGUSR1, SIG_DFL);
}

// A lease given up and taken again is a lease: its observer's death ends it.
TEST_F(SignalRelayTest, ALeaseTakenAgainEndsWithItsObserverToo) {
  auto a = Worker("a");
  for (int i = 0; i < 100; ++i) {
    ASSERT_EQ(Subscribe(SIGUSR1, a), "");
    ASSERT_TRUE(Unsubscribe(SIGUSR1, a));
  }
  ASSERT_EQ(Subscribe(SIGUSR1, a), "");
  ASSERT_EQ(Subscribe(SIGUSR2, a), "");
  ASSERT_TRUE(Unsubscribe(SIGUSR2, a));
  caf::anon_send_exit(a, caf::exit_reason::kill);
  WaitForDisposition(SIGUSR1, SIG_DFL);
}

TEST_F(SignalRelayTest, AKilledRelayRestoresEverything) {
  Set(SIGUSR1, &Earlier);
  Set(SIGUSR2, SIG_IGN);
  auto a = Worker("a");
  ASSERT_EQ(Subscribe(SIGUSR1, a), "");
  ASSERT_EQ(Subscribe(SIGUSR2, a), "");
  caf::anon_send_exit(relay_, caf::exit_reason::kill);
  WaitForDisposition(SIGUSR1, &Earlier);
  WaitForDisposition(SIGUSR2, SIG_IGN);
}

// The fixture compares.
TEST_F(SignalRelayTest, AStoppedIoThreadRestoresEverything) {
  Set(SIGUSR1, &Earlier);
  Set(SIGUSR2, SIG_IGN);
  auto a = Worker("a");
  ASSERT_EQ(Subscribe(SIGUSR1, a), "");
  ASSERT_EQ(Subscribe(SIGUSR2, a), "");
  io_->Stop();
  EXPECT_EQ(DispositionOf(SIGUSR1), &Earlier);
  EXPECT_EQ(DispositionOf(SIGUSR2), SIG_IGN);
}

// S15: what is on its way to a subscriber that left is dropped, and the next
// one hears only of what comes after.
TEST_F(SignalRelayTest, ASignalThatIsReleasedOnItsWayDisturbsNobody) {
  Set(SIGUSR1, &Earlier);
  for (int round = 0; round < 100; ++round) {
    auto a = Worker("a");
    ASSERT_EQ(Subscribe(SIGUSR1, a), "");
    raise(SIGUSR1);
    ASSERT_TRUE(Unsubscribe(SIGUSR1, a));
    raise(SIGUSR1);
  }
  EXPECT_EQ(earlier_runs, 100);
  EXPECT_LE(trace_->events().size(), 100u);
}

// -- refusals -----------------------------------------------------------------

// S4, S5: asyncio's words.
TEST_F(SignalRelayTest, RefusesWhatCannotBeCaughtInAsynciosWords) {
  auto a = Worker("a");
  EXPECT_EQ(Subscribe(0, a), "invalid signal number 0");
  EXPECT_EQ(Subscribe(-1, a), "invalid signal number -1");
  EXPECT_EQ(Subscribe(100, a), "invalid signal number 100");
  EXPECT_EQ(Subscribe(33, a), "invalid signal number 33");
  EXPECT_EQ(Subscribe(SIGKILL, a), "sig 9 cannot be caught");
  EXPECT_EQ(Subscribe(SIGSTOP, a), "sig 19 cannot be caught");
  EXPECT_EQ(Subscribe(SIGUSR1, SignalObserver()), "no observer");
  EXPECT_EQ(DispositionOf(SIGUSR1), SIG_DFL);
  EXPECT_FALSE(Unsubscribe(0, a));
  EXPECT_FALSE(Unsubscribe(SIGUSR1, a));
  EXPECT_EQ(Subscribe(SIGUSR1, a), "");  // it lives
}

// S19.
TEST_F(SignalRelayTest, ASecondRelayIsRefusedWhileTheFirstLives) {
  auto second = SpawnSignalRelay(host(), io());
  EXPECT_TRUE(absl::IsFailedPrecondition(second.status()));
  caf::anon_send_exit(relay_, caf::exit_reason::user_shutdown);
  for (;;) {
    auto third = SpawnSignalRelay(host(), io());
    if (third.ok()) {
      relay_ = *third;
      break;
    }
    std::this_thread::yield();
  }
  auto a = Worker("a");
  ASSERT_EQ(Subscribe(SIGUSR1, a), "");
  raise(SIGUSR1);
  ASSERT_TRUE(trace_->WaitFor(absl::StrCat("a ", SIGUSR1)));
}

// Dropping the last handle is no end: the descriptor is watched.
TEST_F(SignalRelayTest, WorksOnWithoutAHandle) {
  auto a = Worker("a");
  ASSERT_EQ(Subscribe(SIGUSR1, a), "");
  relay_ = SignalRelay();
  raise(SIGUSR1);
  ASSERT_TRUE(trace_->WaitFor(absl::StrCat("a ", SIGUSR1)));
}

// A refusal of a plain message does not end its sender, and an acceptance is
// not one more message.
TEST_F(SignalRelayTest, PlainRequestsAreNotAnswered) {
  auto a = Worker("a");
  auto owner = system_->spawn<caf::hidden>(
      [=, trace = trace_,
       relay = relay_](caf::event_based_actor* self) -> caf::behavior {
        self->attach_functor([=] { trace->Add("owner ended"); });
        self->set_default_handler(
            [=](caf::scheduled_actor*,
                caf::message_view&) -> caf::result<caf::message> {
              trace->Add("owner was answered");
              return caf::message();
            });
        self->send(relay, SubscribeToSignal{SIGKILL, a});
        self->send(relay, SubscribeToSignal{SIGUSR1, a});
        self->send(relay, UnsubscribeFromSignal{SIGUSR1, a});
        return {[=](const std::string& text) { trace->Add(text); }};
      });
  ASSERT_EQ(Subscribe(SIGUSR2, a), "");
  caf::anon_send(owner, std::string("owner lives"));
  ASSERT_TRUE(trace_->WaitUntil(
      [](const std::vector<std::string>& all) { return !all.empty(); }));
  EXPECT_THAT(trace_->events(), ElementsAre("owner lives"));
}

// -- floods -------------------------------------------------------------------

std::atomic<uint64_t> runs;
void (*ours)(int, siginfo_t*, void*);
void CountAndRunOurs(int number, siginfo_t* info, void* context) {
  runs.fetch_add(1);
  ours(number, info, context);
}

// Core rule 7: deliveries plus our own coalescing equal handler runs, and the
// last send is always seen.
TEST_F(SignalRelayTest, InAFloodTheCountsAreTheHandlersRuns) {
  constexpr int kThreads = 4, kSends = 3000;
  runs = 0;
  auto sum = std::make_shared<std::atomic<uint64_t>>(0);
  auto other = std::make_shared<std::atomic<uint64_t>>(0);
  auto counter = Counter(sum), second = Counter(other);
  ASSERT_EQ(Subscribe(SIGUSR1, counter), "");
  ASSERT_EQ(Subscribe(SIGUSR1, second), "");
  struct sigaction installed, counting;
  sigaction(SIGUSR1, nullptr, &installed);
  ours = installed.sa_sigaction;
  counting = installed;
  counting.sa_sigaction = &CountAndRunOurs;
  sigaction(SIGUSR1, &counting, nullptr);
  std::vector<std::thread> threads;
  for (int i = 0; i < kThreads; ++i) {
    threads.emplace_back([i] {
      for (int n = 0; n < kSends; ++n) {
        if ((n + i) % 2 == 0) {
          raise(SIGUSR1);
        } else {
          kill(getpid(), SIGUSR1);
        }
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  auto last = Worker("last");
  ASSERT_EQ(Subscribe(SIGUSR1, last), "");
  raise(SIGUSR1);
  ASSERT_TRUE(trace_->WaitFor(absl::StrCat("last ", SIGUSR1)));
  sigaction(SIGUSR1, &installed, nullptr);
  while (*sum < runs || *other < runs) std::this_thread::yield();
  EXPECT_EQ(*sum, runs);
  EXPECT_EQ(*other, runs);
}

TEST_F(SignalRelayTest, InAFloodEachRealTimeSignalIsToldOnce) {
  constexpr int kSends = 5000;
  auto sum = std::make_shared<std::atomic<uint64_t>>(0);
  ASSERT_EQ(Subscribe(SIGRTMIN, Counter(sum)), "");
  pid_t child = fork();
  if (child == 0) {
    sigval value{};
    for (int i = 0; i < kSends; ++i) {
      while (sigqueue(getppid(), SIGRTMIN, value) != 0) {
        if (errno != EAGAIN) _exit(1);
        sched_yield();
      }
    }
    _exit(0);
  }
  waitpid(child, nullptr, 0);
  while (*sum < kSends) std::this_thread::yield();
  raise(SIGRTMIN);
  while (*sum < kSends + 1) std::this_thread::yield();
  EXPECT_EQ(*sum, kSends + 1u);
}

}  // namespace
}  // namespace troupe
