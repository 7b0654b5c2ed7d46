// A program that makes a tree in a group of its own and waits to be killed:
//
//   guarded_program guard GROW_TREE ROLE...     with a guard
//   guarded_program alone GROW_TREE ROLE...     without one
//
// The tree's stdout is ours. Started with the guard's argument it is the guard.
#include <unistd.h>

#include <cstring>
#include <memory>
#include <string>

#include "actors/config.h"
#include "actors/system.h"
#include "caf/actor_system.hpp"
#include "caf/scoped_actor.hpp"
#include "process/guard.h"
#include "process/guarded_spawner.h"
#include "process/process_messages.h"
#include "process/subprocess.h"

int main(int argc, char** argv) {
  if (troupe::IsGuard(argc, argv)) return troupe::RunGuard(0);
  if (argc < 3) return 2;
  troupe::Config config;
  caf::actor_system actors(config);
  auto system = troupe::System::Start(actors);
  if (!system.ok()) return 1;
  troupe::ProcessServices services = (*system)->processes();
  std::shared_ptr<troupe::Guard> guard;
  if (strcmp(argv[1], "guard") == 0) {
    auto started = troupe::Guard::Start(troupe::GuardCommand());
    if (!started.ok()) return 1;
    guard = *std::move(started);
    services.spawner =
        troupe::SpawnGuarded(*services.host, guard, services.spawner);
  }
  troupe::StartProcess start;
  start.command.argv.assign(argv + 2, argv + argc);
  start.command.group = troupe::ProcessGroup::kNewGroup;
  caf::scoped_actor self(actors);
  troupe::Subprocess child = troupe::SpawnSubprocess(services);
  self->request(child, caf::infinite, std::move(start))
      .receive([](const troupe::ProcessStarted&) {},
               [](const caf::error&) { _exit(1); });
  [[maybe_unused]] ssize_t n = write(1, "program 1\n", 10);
  for (;;) pause();
}
