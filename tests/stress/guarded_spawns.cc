// A program with a guard that starts one child after the other, as fast as it
// can, until it is killed:
//
//   guarded_spawns TREE CHILD        both are programs; TREE has members
//
// First the tree, then children. Each leads a group of its own and dies with
// us; a member of the tree does not, and is the guard's. All have our stdin and
// stdout. Writes a '.' for each child that runs. Started with the guard's
// argument it is the guard.
#include <signal.h>
#include <unistd.h>

#include <string>
#include <utility>
#include <vector>

#include "actors/config.h"
#include "actors/system.h"
#include "caf/actor_system.hpp"
#include "caf/scoped_actor.hpp"
#include "process/guard.h"
#include "process/guarded_spawner.h"
#include "process/process_messages.h"
#include "process/subprocess.h"

namespace troupe {
namespace {

[[noreturn]] void StartUntilKilled(caf::actor_system& actors,
                                   const ProcessServices& services,
                                   const std::string& tree,
                                   const std::string& child) {
  caf::scoped_actor self(actors);
  std::vector<Subprocess> children;
  StartProcess start;
  start.command.argv = {tree, "member", "ignore"};
  start.command.group = ProcessGroup::kNewGroup;
  start.command.parent_death_signal = SIGKILL;
  for (;;) {
    children.push_back(SpawnSubprocess(services));
    self->request(children.back(), caf::infinite, start)
        .receive([](const ProcessStarted&) { (void)!write(1, ".", 1); },
                 [](const caf::error&) { _exit(1); });
    start.command.argv = {child};
  }
}

int Run(const std::string& tree, const std::string& child) {
  Config config;
  caf::actor_system actors(config);
  auto system = System::Start(actors);
  if (!system.ok()) return 1;
  ProcessServices services = (*system)->processes();
  auto guard = Guard::Start(GuardCommand());
  if (!guard.ok()) return 1;
  services.spawner = SpawnGuarded(*services.host, *guard, services.spawner);
  StartUntilKilled(actors, services, tree, child);
}

}  // namespace
}  // namespace troupe

int main(int argc, char** argv) {
  if (troupe::IsGuard(argc, argv)) return troupe::RunGuard(0);
  return argc == 3 ? troupe::Run(argv[1], argv[2]) : 2;
}
