// A program on System, for system_test to watch from outside:
//
//   system_program idle CHILD    starts CHILD and the relay, prints "r", waits
//                                for the end of stdin
//   system_program leave CHILD   starts ten CHILDs, each in a group of its own,
//                                prints their pids and ends
//   system_program hold CHILD    starts CHILD with a parent-death signal,
//   prints
//                                its pid, waits for the end of stdin
#include <signal.h>
#include <unistd.h>

#include <iostream>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "actors/config.h"
#include "actors/system.h"
#include "caf/actor_system.hpp"
#include "caf/event_based_actor.hpp"
#include "caf/scoped_actor.hpp"
#include "caf/typed_event_based_actor.hpp"
#include "process/process_messages.h"
#include "process/subprocess.h"
#include "signals/signal_messages.h"

namespace troupe {
namespace {

SignalObserver::behavior_type Listener(SignalObserver::pointer) {
  return {[](const SignalReceived&) {}};
}

// The pid, or -1. The child's stdin is a pipe of ours that stays open.
pid_t StartChild(System& system, const Subprocess& child, std::string program,
                 std::optional<int> parent_death_signal) {
  StartProcess start;
  start.command.argv = {std::move(program)};
  start.command.stdin_from = Stdio::Pipe();
  start.command.stdout_to = Stdio::Null();
  start.command.parent_death_signal = parent_death_signal;
  if (!parent_death_signal) start.command.group = ProcessGroup::kNewGroup;
  pid_t pid = -1;
  caf::scoped_actor self(system.actors());
  self->request(child, caf::infinite, std::move(start))
      .receive([&](const ProcessStarted& started) { pid = started.pid; },
               [](const caf::error&) {});
  return pid;
}

void WaitForEof() {
  char byte;
  while (read(0, &byte, 1) > 0) {
  }
}

int Main(const std::string& mode, const std::string& program) {
  Config config;
  caf::actor_system actors(config);
  auto system = System::Start(actors);
  if (!system.ok()) return 1;
  std::vector<Subprocess> children;
  const int count = mode == "leave" ? 10 : 1;
  for (int i = 0; i < count; ++i) {
    children.push_back(SpawnSubprocess((*system)->processes()));
    std::optional<int> death;
    if (mode == "hold") death = SIGTERM;
    pid_t pid = StartChild(**system, children.back(), program, death);
    if (mode != "idle") std::cout << pid << std::endl;
  }
  if (mode == "idle") {
    auto relay = (*system)->Signals();
    if (!relay.ok()) return 1;
    auto listener = actors.spawn<caf::hidden>(Listener);
    caf::scoped_actor self(actors);
    self->request(*relay, caf::infinite, SubscribeToSignal{SIGUSR1, listener})
        .receive([](const Subscribed&) { std::cout << "r" << std::endl; },
                 [](const caf::error&) {});
  }
  if (mode != "leave") WaitForEof();
  return 0;
}

}  // namespace
}  // namespace troupe

int main(int argc, char** argv) {
  if (argc != 3) return 2;
  return troupe::Main(argv[1], argv[2]);
}
