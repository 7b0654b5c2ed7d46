// Shows: a signal as a message, and a supervised child that is stopped for it.
// Run:   ./bazelw run //examples:stop_on_sigterm, and Ctrl-C or kill PID
// See:   the child's pid, the signal's name and sender, how the child ended.
#include <signal.h>
#include <unistd.h>

#include <iostream>
#include <utility>

#include "actors/config.h"
#include "actors/supervisor.h"
#include "actors/system.h"
#include "caf/actor_system.hpp"
#include "caf/typed_event_based_actor.hpp"
#include "signals/signal_messages.h"

namespace {

using Observer =
    troupe::SupervisorObserver::extend_with<troupe::SignalObserver>;

Observer::behavior_type Stopper(Observer::pointer self,
                                troupe::ProcessServices services,
                                troupe::SignalRelay relay) {
  for (int number : {SIGINT, SIGTERM}) {
    self->request(relay, caf::infinite, troupe::SubscribeToSignal{number, self})
        .then([](const troupe::Subscribed&) {});
  }
  troupe::MemberSpec sleeper;
  sleeper.command.argv = {"sleep", "1000"};
  sleeper.command.group = troupe::ProcessGroup::kNewGroup;
  troupe::Supervisor group = troupe::SpawnSupervisor(services, {sleeper}, self);
  return {
      [](const troupe::MemberStarted& started) {
        std::cout << "we are " << getpid() << ", the child is " << started.pid
                  << std::endl;
      },
      [=](const troupe::MemberNotStarted& failed) {
        std::cerr << failed.why.message() << '\n';
      },
      [](const troupe::MemberOutput&) {},
      [](const troupe::MemberExited& exited) {
        std::cout << "the child ended: " << exited.report.status.ToString()
                  << '\n';
      },
      [](const troupe::MemberDrained&) {},
      [](const troupe::MemberRestarting&) {},
      [](const troupe::MembersStopping&) {},
      [=](const troupe::MembersEnded&) { self->quit(); },
      [=](const troupe::SignalReceived& got) {
        std::cout << got.name << " from pid " << got.delivery.pid << std::endl;
        self->send(group, troupe::StopMembers{});
      },
  };
}

}  // namespace

int main() {
  troupe::Config config;
  caf::actor_system actors(config);
  auto system = troupe::System::Start(actors);
  if (!system.ok()) return 1;
  auto relay = (*system)->Signals();
  if (!relay.ok()) return 1;
  actors.spawn(Stopper, (*system)->processes(), *relay);
  return 0;  // ~System waits for Stopper
}
