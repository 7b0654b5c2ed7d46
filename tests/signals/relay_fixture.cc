#include "tests/signals/relay_fixture.h"

#include <future>
#include <thread>
#include <utility>

#include "absl/strings/str_cat.h"
#include "caf/scoped_actor.hpp"
#include "caf/typed_event_based_actor.hpp"
#include "gtest/gtest.h"
#include "io/resident.h"
#include "io/status_error.h"
#include "signals/signal_relay.h"

namespace troupe {
namespace {

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

SignalRelayOwner::behavior_type WritingOwner(SignalRelayOwner::pointer,
                                             std::shared_ptr<Trace> trace) {
  return {[=](const HandlerKept& kept) {
    trace->Add(absl::StrCat("kept ", kept.number, ": ", kept.why.message()));
  }};
}

struct Standstill {
  std::promise<void> begun;
  std::promise<void> over;
};
TimerObserver::behavior_type StandStill(Resident<TimerObserver::base>* self,
                                        Standstill* standstill) {
  standstill->begun.set_value();
  standstill->over.get_future().wait();
  self->quit();
  return {[](const TimerFired&) {}};
}

}  // namespace

sighandler_t DispositionOf(int number) {
  struct sigaction action {};
  sigaction(number, nullptr, &action);
  return action.sa_handler;
}

SignalRelayTest::SignalRelayTest() {
  earlier_runs = 0;
  relay_ = New();
}

SignalRelayTest::~SignalRelayTest() {
  relay_ = SignalRelay();
  if (io_ != nullptr) io_->Stop();
  for (int number : {SIGUSR1, SIGUSR2, SIGTERM, SIGRTMIN}) {
    EXPECT_EQ(DispositionOf(number), before_[number]) << number;
  }
  signal(SIGUSR1, SIG_DFL);
  signal(SIGUSR2, SIG_DFL);
}

SignalRelay SignalRelayTest::New(SignalRelayOwner owner) {
  auto relay = SpawnSignalRelay(host(), io(), std::move(owner));
  EXPECT_TRUE(relay.ok()) << relay.status();
  return relay.ok() ? *relay : SignalRelay();
}

SignalObserver SignalRelayTest::Worker(std::string name) {
  return system_->spawn<caf::hidden>(OnWorker,
                                     Listener{trace_, std::move(name), {}});
}
SignalObserver SignalRelayTest::InIo(std::string name) {
  return SpawnResident<caf::hidden>(host(), OnIoThread,
                                    Listener{trace_, std::move(name), {}});
}
SignalObserver SignalRelayTest::Counter(
    std::shared_ptr<std::atomic<uint64_t>> sum) {
  return system_->spawn<caf::hidden>(OnWorker, Listener{trace_, "", sum});
}
SignalRelayOwner SignalRelayTest::Owner() {
  return system_->spawn<caf::hidden>(WritingOwner, trace_);
}

void SignalRelayTest::Set(int number, sighandler_t disposition) {
  signal(number, disposition);
  before_[number] = DispositionOf(number);
}
void SignalRelayTest::Clean(int number) {
  EXPECT_EQ(DispositionOf(number), &Stranger);
  signal(number, before_[number]);
}

std::string SignalRelayTest::Subscribe(int number, SignalObserver observer,
                                       std::shared_ptr<SignalBuffer> tap) {
  std::string text;
  caf::scoped_actor self(*system_);
  self->request(relay_, caf::infinite,
                SubscribeToSignal{number, observer, std::move(tap)})
      .receive([](const Subscribed&) {},
               [&](const caf::error& why) {
                 text = std::string(StatusOf(why).message());
               });
  return text;
}

Unsubscribed SignalRelayTest::Unsubscribe(int number, SignalObserver observer) {
  Unsubscribed result;
  caf::scoped_actor self(*system_);
  self->request(relay_, caf::infinite, UnsubscribeFromSignal{number, observer})
      .receive([&](const Unsubscribed& answer) { result = answer; },
               [](const caf::error& why) { ADD_FAILURE() << to_string(why); });
  return result;
}

SignalRelayClosed SignalRelayTest::Close() {
  SignalRelayClosed result;
  caf::scoped_actor self(*system_);
  self->request(relay_, caf::infinite, CloseSignalRelay{})
      .receive([&](const SignalRelayClosed& answer) { result = answer; },
               [](const caf::error& why) { ADD_FAILURE() << to_string(why); });
  return result;
}

void SignalRelayTest::WaitForDisposition(int number, sighandler_t disposition) {
  while (DispositionOf(number) != disposition) std::this_thread::yield();
}

void SignalRelayTest::WhileIoStandsStill(const std::function<void()>& body) {
  Standstill standstill;
  auto actor = SpawnResident<caf::hidden>(host(), StandStill, &standstill);
  standstill.begun.get_future().wait();
  body();
  standstill.over.set_value();
  caf::scoped_actor self(*system_);
  self->wait_for(actor);
}

}  // namespace troupe
