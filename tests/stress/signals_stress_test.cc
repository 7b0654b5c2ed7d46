// Rule 7 under load, and rows S12, S19, V57, A16: other processes flood three
// subscribers with signals while a million messages flow. One program, two
// targets: with the argument `in_order` it calls BlockSignals() first.
#include <sched.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdint>
#include <fstream>
#include <memory>
#include <mutex>
#include <numeric>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "caf/send.hpp"
#include "caf/typed_event_based_actor.hpp"
#include "gtest/gtest.h"
#include "io/resident.h"
#include "process/spawn.h"
#include "signals/block_signals.h"
#include "signals/signal_relay.h"
#include "tests/process/ran_child.h"
#include "tests/signals/relay_fixture.h"
#include "tests/support/child_program.h"

namespace troupe {
namespace {

constexpr int kSends = 100'000;
constexpr int kMessages = 1'000'000;

bool in_order = false;

int Numbers(int i) { return std::array{SIGUSR1, SIGUSR2, SIGRTMIN}[i]; }

// Counts the runs of the relay's handler without asking it.
std::array<std::atomic<uint64_t>, NSIG> runs;
void (*relays)(int, siginfo_t*, void*);
void CountAndRunRelays(int number, siginfo_t* info, void* context) {
  runs[number].fetch_add(1);
  relays(number, info, context);
}

// What one subscriber was told. Any thread.
class Heard {
 public:
  void Add(const SignalDelivery& delivery) {
    std::lock_guard<std::mutex> lock(mutex_);
    counts_[delivery.number] += delivery.count;
    senders_[delivery.number].insert(delivery.pid);
    if (delivery.number == SIGRTMIN) {
      values_.push_back(delivery.value.sival_int);
    }
  }
  uint64_t Count(int number) const {
    std::lock_guard<std::mutex> lock(mutex_);
    return counts_[number];
  }
  bool From(pid_t pid, int number) const {
    std::lock_guard<std::mutex> lock(mutex_);
    return senders_[number].count(pid) > 0;
  }
  std::vector<int> values() const {
    std::lock_guard<std::mutex> lock(mutex_);
    return values_;
  }

 private:
  mutable std::mutex mutex_;
  std::array<uint64_t, NSIG> counts_{};
  std::array<std::set<pid_t>, NSIG> senders_;
  std::vector<int> values_;
};

SignalObserver::behavior_type Subscriber(SignalObserver::pointer,
                                         Heard* heard) {
  return {[=](const SignalReceived& got) { heard->Add(got.delivery); }};
}
SignalObserver::behavior_type ResidentSubscriber(
    Resident<SignalObserver::base>*, Heard* heard) {
  return {[=](const SignalReceived& got) { heard->Add(got.delivery); }};
}

// Two of these send a number to and fro until it is 0.
struct Ball;
using Player = caf::typed_actor<caf::reacts_to<Ball>>;
struct Ball {
  int left = 0;
  Player to;
  Player from;
};

template <class Self>
Player::behavior_type Play(Self self, std::atomic<int>* played) {
  return {[=](const Ball& ball) {
    played->fetch_add(1);
    if (ball.left > 1) {
      self->send(ball.from, Ball{ball.left - 1, ball.from, ball.to});
    }
  }};
}
Player::behavior_type PlayOnWorker(Player::pointer self,
                                   std::atomic<int>* played) {
  return Play(self, played);
}
Player::behavior_type PlayInIo(Resident<Player::base>* self,
                               std::atomic<int>* played) {
  return Play(self, played);
}

class SignalsStressTest : public SignalRelayTest {
 protected:
  SignalsStressTest() {
    SubscribeAll(system_->spawn<caf::hidden>(Subscriber, &heard_[0]));
    SubscribeAll(system_->spawn<caf::hidden>(Subscriber, &heard_[1]));
    SubscribeAll(
        SpawnResident<caf::hidden>(host(), ResidentSubscriber, &heard_[2]));
    for (int i = 0; i < 3; ++i) {
      runs[Numbers(i)] = 0;
      sigaction(Numbers(i), nullptr, &installed_);
      relays = installed_.sa_sigaction;
      struct sigaction counting = installed_;
      counting.sa_sigaction = &CountAndRunRelays;
      sigaction(Numbers(i), &counting, nullptr);
    }
  }
  ~SignalsStressTest() override {
    for (int i = 0; i < 3; ++i) sigaction(Numbers(i), &installed_, nullptr);
    io_->Stop();
    system_.reset();  // the subscribers, before heard_
  }

  void SubscribeAll(const SignalObserver& observer) {
    for (int i = 0; i < 3; ++i) EXPECT_EQ(Subscribe(Numbers(i), observer), "");
  }

  Player NewPlayer(bool resident) {
    if (!resident) return system_->spawn<caf::hidden>(PlayOnWorker, &played_);
    return SpawnResident<caf::hidden>(host(), PlayInIo, &played_);
  }
  // On workers, on the I/O thread, and between them.
  void StartMessages() {
    for (int i = 0; i < 4; ++i) {
      Player a = NewPlayer(i / 2 == 0), b = NewPlayer(i % 2 == 0);
      caf::anon_send(a, Ball{kMessages / 4, a, b});
    }
  }

  static SpawnedChild StartSender(std::vector<std::string> how) {
    Command command;
    command.argv = {ChildProgram("send_signals"), absl::StrCat(getpid())};
    command.argv.insert(command.argv.end(), how.begin(), how.end());
    auto child = Spawn(command);
    EXPECT_TRUE(child.ok()) << child.status();
    return *std::move(child);
  }

  // The kernel has handed out all that was sent to the process.
  static bool NothingPending() {
    std::ifstream status("/proc/self/status");
    std::string word;
    while (status >> word && word != "ShdPnd:") {
    }
    return status >> word && std::stoull(word, nullptr, 16) == 0;
  }
  // And every subscriber has been told.
  void WaitForQuiet() const {
    auto told = [](const Heard& heard) {
      for (int i = 0; i < 3; ++i) {
        if (heard.Count(Numbers(i)) < runs[Numbers(i)]) return false;
      }
      return heard.values().size() >= kSends;
    };
    while (!NothingPending() ||
           !std::all_of(std::begin(heard_), std::end(heard_), told)) {
      sched_yield();
    }
  }

  void WaitForSignalsOf(pid_t pid) const {
    for (const Heard& heard : heard_) {
      for (int i = 0; i < 3; ++i) {
        while (!heard.From(pid, Numbers(i))) sched_yield();
      }
    }
  }

  Heard heard_[3];
  std::atomic<int> played_{0};

 private:
  struct sigaction installed_;
};

// A last send that nobody sees, or a value that does not come, lets this wait
// until the test's time is over.
TEST_F(SignalsStressTest, AFloodLosesNothingThatTheKernelHandsOut) {
  StartMessages();
  auto standard = StartSender({"standard", absl::StrCat(kSends)});
  auto real_time = StartSender({"realtime", absl::StrCat(kSends)});
  EXPECT_EQ(EndOf(&standard), ExitStatus::Exited(0));
  EXPECT_EQ(EndOf(&real_time), ExitStatus::Exited(0));
  WaitForQuiet();
  auto last = StartSender({"last"});
  EXPECT_EQ(EndOf(&last), ExitStatus::Exited(0));
  WaitForSignalsOf(last.pid);
  while (played_ < kMessages) sched_yield();
  EXPECT_EQ(played_, kMessages);

  std::vector<int> sent(kSends);
  std::iota(sent.begin(), sent.end(), 0);
  sent.push_back(-1);
  for (const Heard& heard : heard_) {
    EXPECT_GT(heard.Count(SIGUSR1), 1u);
    EXPECT_EQ(heard.Count(SIGUSR1), runs[SIGUSR1]);
    EXPECT_EQ(heard.Count(SIGUSR2), runs[SIGUSR2]);
    EXPECT_EQ(heard.Count(SIGRTMIN), kSends + 1u);
    std::vector<int> values = heard.values();
    if (!in_order) {
      // With one thread to take them they would be sorted already.
      std::sort(values.begin(), values.end());
      std::rotate(values.begin(), values.begin() + 1, values.end());
    }
    EXPECT_TRUE(values == sent);
  }
}

}  // namespace
}  // namespace troupe

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::Ball)

int main(int argc, char** argv) {
  troupe::in_order = argc > 1 && std::string(argv[1]) == "in_order";
  if (troupe::in_order && !troupe::BlockSignals().ok()) return 1;
  testing::InitGoogleTest(&argc, argv);
  return RUN_ALL_TESTS();
}
