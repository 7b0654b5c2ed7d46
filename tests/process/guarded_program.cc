// A program that starts a tree in a group of its own and waits to be killed:
//
//   guarded_program guard GROW_TREE ROLE...     with a guard
//   guarded_program alone GROW_TREE ROLE...     without one
//   guarded_program spawns CHILD GROW_TREE ROLE...
//
// The last one has a guard, and goes on: one CHILD after the other, as fast as
// it can. Each leads a group of its own and dies with us. The streams of all
// are ours. Writes a '.' for each that runs. Started with the guard's argument
// it is the guard.
#include <signal.h>
#include <unistd.h>

#include <memory>
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

// Keeps what it has started.
class Starter {
 public:
  Starter(caf::actor_system& actors, ProcessServices services)
      : self_(actors), services_(std::move(services)) {}

  void Start(StartProcess start) {
    children_.push_back(SpawnSubprocess(services_));
    self_->request(children_.back(), caf::infinite, std::move(start))
        .receive([](const ProcessStarted&) {},
                 [](const caf::error&) { _exit(1); });
  }

 private:
  caf::scoped_actor self_;
  ProcessServices services_;
  std::vector<Subprocess> children_;
};

int Run(const std::string& mode, std::vector<std::string> argv) {
  Config config;
  caf::actor_system actors(config);
  auto system = System::Start(actors);
  if (!system.ok()) return 1;
  ProcessServices services = (*system)->processes();
  std::shared_ptr<Guard> guard;
  if (mode != "alone") {
    auto started = Guard::Start(GuardCommand());
    if (!started.ok()) return 1;
    guard = *std::move(started);
    services.spawner = SpawnGuarded(*services.host, guard, services.spawner);
  }
  Starter starter(actors, services);
  StartProcess child;
  child.command.group = ProcessGroup::kNewGroup;
  child.command.parent_death_signal = SIGKILL;
  StartProcess tree;
  tree.command.group = ProcessGroup::kNewGroup;
  if (mode == "spawns") {
    child.command.argv = {argv.front()};
    argv.erase(argv.begin());
    // The leader dies with us, so only the guard knows of its members.
    tree.command.parent_death_signal = SIGKILL;
  }
  tree.command.argv = std::move(argv);
  starter.Start(std::move(tree));
  while (mode == "spawns") {
    starter.Start(child);
    (void)!write(1, ".", 1);
  }
  (void)!write(1, "program 1\n", 10);
  for (;;) pause();
}

}  // namespace
}  // namespace troupe

int main(int argc, char** argv) {
  if (troupe::IsGuard(argc, argv)) return troupe::RunGuard(0);
  if (argc < 4) return 2;
  return troupe::Run(argv[1], {argv + 2, argv + argc});
}
