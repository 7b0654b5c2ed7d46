// Shows: one signal for several subscribers, two actors and a loop, each told
//        of every delivery.
// Run:   ./bazelw run //examples:signals, and in another terminal the kill
//        lines that it prints; Ctrl-C ends it
// See:   who got it, from which process, and how many runs of the handler the
//        message stands for.
#include <signal.h>
#include <unistd.h>

#include <iostream>
#include <string>

#include "absl/strings/str_cat.h"
#include "actors/config.h"
#include "actors/loop.h"
#include "actors/system.h"
#include "caf/actor_system.hpp"
#include "caf/typed_event_based_actor.hpp"
#include "signals/signal_messages.h"
#include "signals/signal_name.h"

namespace {

using troupe::SignalObserver;

// One write for each line: several threads write them.
void Say(const std::string& line) { std::cout << line + '\n' << std::flush; }

SignalObserver::behavior_type Subscriber(SignalObserver::pointer self,
                                         std::string name,
                                         troupe::SignalRelay relay) {
  for (int number : {SIGUSR1, SIGINT, SIGTERM}) {
    self->request(relay, caf::infinite, troupe::SubscribeToSignal{number, self})
        .then([=](const troupe::Subscribed&) {
          if (number == SIGTERM) Say(name + " is ready");
        });
  }
  return {[=](const troupe::SignalReceived& got) {
    const troupe::SignalDelivery& delivery = got.delivery;
    Say(absl::StrCat(name, ": ", troupe::SignalName(delivery.number),
                     " from pid ", delivery.pid, ", runs: ", delivery.count));
    if (delivery.number != SIGUSR1) self->quit();
  }};
}

// Callbacks are called once for each run of the handler.
bool Handle(troupe::Loop& loop) {
  int runs = 0;
  auto count = [&] { Say(absl::StrCat("the loop: SIGUSR1, run ", ++runs)); };
  if (!loop.AddSignalHandler(SIGUSR1, count).status().ok()) return false;
  for (int number : {SIGINT, SIGTERM}) {
    auto stop = [&] { loop.Stop(); };
    if (!loop.AddSignalHandler(number, stop).status().ok()) return false;
  }
  Say(absl::StrCat("kill -USR1 ", getpid(), "; kill ", getpid()));
  return loop.RunForever().ok();
}

}  // namespace

int main() {
  troupe::Config config;
  caf::actor_system actors(config);
  auto system = troupe::System::Start(actors);
  if (!system.ok()) return 1;
  auto loop = troupe::Loop::Create(**system);
  auto relay = (*system)->Signals();
  if (!loop.ok() || !relay.ok()) return 1;
  actors.spawn(Subscriber, "one", *relay);
  actors.spawn(Subscriber, "two", *relay);
  return Handle(**loop) ? 0 : 1;  // ~System waits for the subscribers
}
