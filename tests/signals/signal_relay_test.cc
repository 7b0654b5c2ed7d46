// Signals as messages: core rule 7 and rows S1 to S22, through the actor.
#include "signals/signal_relay.h"

#include <pthread.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <future>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "caf/actor_system.hpp"
#include "caf/actor_system_config.hpp"
#include "caf/atom.hpp"
#include "caf/event_based_actor.hpp"
#include "caf/exit_reason.hpp"
#include "caf/io/middleman.hpp"
#include "caf/send.hpp"
#include "caf/typed_event_based_actor.hpp"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/signals/relay_fixture.h"

namespace troupe {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

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
  EXPECT_TRUE(Unsubscribe(SIGUSR1, a).was_subscribed);
  EXPECT_FALSE(Unsubscribe(SIGUSR1, a).was_subscribed);
  EXPECT_EQ(DispositionOf(SIGUSR1), SIG_DFL);
}

// S12, A16: asyncio delivers 278 of 2,000 signals that wait together, and none
// after 2,000 other wake-ups.
TEST_F(SignalRelayTest, LosesNoneThatWaitTogetherWithOtherTraffic) {
  auto sum = std::make_shared<std::atomic<uint64_t>>(0);
  ASSERT_EQ(Subscribe(SIGUSR1, Counter(sum)), "");
  ASSERT_EQ(Subscribe(SIGUSR2, Worker("last")), "");
  auto other = InIo("other");
  WhileIoStandsStill([&] {
    for (int i = 0; i < 2000; ++i) {
      caf::anon_send(other, SignalReceived{});
      raise(SIGUSR1);
    }
    raise(SIGUSR2);
  });
  ASSERT_TRUE(trace_->WaitFor(absl::StrCat("last ", SIGUSR2)));
  while (*sum < 2000) std::this_thread::yield();
  EXPECT_EQ(*sum, 2000u);
}

// S20 and rule 7: a fault that somebody sends is a message.
TEST_F(SignalRelayTest, TellsOfAFaultSentByKill) {
  ASSERT_EQ(Subscribe(SIGSEGV, Worker("a")), "");
  kill(getpid(), SIGSEGV);
  EXPECT_TRUE(trace_->WaitFor(absl::StrCat("a ", SIGSEGV)));
}

// S22, V58, A15: not even the relay of the parent hears of it.
TEST_F(SignalRelayTest, AForkedChildsSignalsAreItsOwn) {
  Set(SIGUSR1, &Earlier);
  ASSERT_EQ(Subscribe(SIGUSR1, Worker("a")), "");
  const pid_t child = fork();
  if (child == 0) {
    for (int i = 0; i < 3; ++i) raise(SIGUSR1);
    _exit(earlier_runs);
  }
  int status = -1;
  waitpid(child, &status, 0);
  EXPECT_EQ(WEXITSTATUS(status), 3);
  EXPECT_THAT(trace_->events(), IsEmpty());
  raise(SIGUSR1);
  ASSERT_TRUE(trace_->WaitFor(absl::StrCat("a ", SIGUSR1)));
  EXPECT_EQ(trace_->events().size(), 1u);
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

// What each thread of this process blocks, as proc(5) has it. A thread that
// blocks SIGSEGV, too, is only beginning: none of ours does for long.
std::map<std::string, uint64_t> Masks() {
  std::map<std::string, uint64_t> masks;
  for (const auto& task :
       std::filesystem::directory_iterator("/proc/self/task")) {
    std::ifstream status(task.path() / "status");
    std::string word;
    while (status >> word && word != "SigBlk:") {
    }
    if (!(status >> std::hex >> masks[task.path().filename()])) return Masks();
  }
  for (const auto& [task, mask] : masks) {
    if ((mask >> (SIGSEGV - 1) & 1) != 0) return Masks();
  }
  return masks;
}

// V56: without BlockSignals(), which is for a program to call, nobody's mask is
// ours to change.
TEST_F(SignalRelayTest, TouchesNoThreadsMask) {
  Close();
  const auto before = Masks();
  ASSERT_GE(before.size(), 4u);  // this one, the I/O thread, two workers
  relay_ = New();
  auto a = Worker("a");
  ASSERT_EQ(Subscribe(SIGUSR1, a), "");
  ASSERT_EQ(Subscribe(SIGRTMIN, a), "");
  raise(SIGUSR1);
  raise(SIGRTMIN);
  ASSERT_TRUE(trace_->WaitUntil(
      [](const std::vector<std::string>& all) { return all.size() == 2; }));
  EXPECT_EQ(Masks(), before);
  Unsubscribe(SIGUSR1, a);
  EXPECT_EQ(Masks(), before);
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
  EXPECT_FALSE(Unsubscribe(0, a).was_subscribed);
  EXPECT_FALSE(Unsubscribe(SIGKILL, a).was_subscribed);
  EXPECT_FALSE(Unsubscribe(SIGUSR1, a).was_subscribed);
  EXPECT_EQ(Subscribe(SIGUSR1, a), "");  // it lives
}

// A message with a handle of this process in it does not cross the network.
TEST_F(SignalRelayTest, RefusesAnObserverInAnotherProgram) {
  caf::actor_system_config config;
  config.set("scheduler.policy", caf::atom("sharing"));
  config.load<caf::io::middleman>();  // which makes it a node of its own
  caf::actor_system elsewhere(config);
  SignalObserver far = elsewhere.spawn<caf::hidden>(
      [](SignalObserver::pointer) -> SignalObserver::behavior_type {
        return {[](const SignalReceived&) {}};
      });
  EXPECT_EQ(Subscribe(SIGUSR1, far),
            "the observer of a signal must live in this program");
  EXPECT_EQ(DispositionOf(SIGUSR1), SIG_DFL);
  caf::anon_send_exit(far, caf::exit_reason::user_shutdown);
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

}  // namespace
}  // namespace troupe
