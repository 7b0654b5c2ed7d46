// Shows: a supervised child that is stopped on the first SIGINT or SIGTERM, and
//        killed on the second.
// Run:   ./bazelw run //examples:stop_on_sigterm, and Ctrl-C or kill PID
// See:   the child's pid, the signal's name and sender, how the child ended.
#include <unistd.h>

#include <iostream>

#include "actors/config.h"
#include "actors/supervisor.h"
#include "actors/system.h"
#include "caf/actor_system.hpp"
#include "caf/typed_event_based_actor.hpp"
#include "signals/signal_messages.h"
#include "signals/stop_on_signals.h"

namespace {

using Observer = troupe::SupervisorObserver::extend_with<troupe::StopObserver>;

Observer::behavior_type Stopper(Observer::pointer self, troupe::System* system,
                                troupe::SignalRelay relay) {
  troupe::SpawnStopOnSignals(system->io().host(), system->io().actor(), relay,
                             {}, self);
  troupe::MemberSpec sleeper;
  sleeper.command.argv = {"sleep", "1000"};
  sleeper.command.group = troupe::ProcessGroup::kNewGroup;
  troupe::Supervisor group =
      troupe::SpawnSupervisor(system->processes(), {sleeper}, self);
  return {
      [](const troupe::MemberStarted& started) {
        std::cout << "we are " << getpid() << ", the child is " << started.pid
                  << std::endl;
      },
      [](const troupe::MemberNotStarted& failed) {
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
      [](const troupe::StopOnSignalsReady& ready) {
        if (!ready.status.ok()) std::cerr << ready.status.message() << '\n';
      },
      [=](const troupe::StopRequested& stop) {
        std::cout << stop.signal.name << " from pid "
                  << stop.signal.delivery.pid << std::endl;
        self->send(group, troupe::StopMembers{});
      },
      [=](const troupe::StopForced&) {
        self->send(group, troupe::KillMembers{});
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
  actors.spawn(Stopper, system->get(), *relay);
  return 0;  // ~System waits for Stopper
}
