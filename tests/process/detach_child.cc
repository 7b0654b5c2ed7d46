// Starts the program given as arguments, on our stdin and with its output to
// nowhere, detaches it, prints its pid and ends.
#include <iostream>
#include <utility>

#include "actors/config.h"
#include "actors/system.h"
#include "caf/actor_system.hpp"
#include "caf/scoped_actor.hpp"
#include "io/status_error.h"
#include "process/process_messages.h"
#include "process/subprocess.h"

int main(int argc, char** argv) {
  troupe::Config config;
  caf::actor_system actors(config);
  auto system = troupe::System::Start(actors);
  if (!system.ok()) return 1;
  troupe::StartProcess start;
  start.command.argv.assign(argv + 1, argv + argc);
  start.command.stdout_to = start.command.stderr_to = troupe::Stdio::Null();
  troupe::Subprocess child = troupe::SpawnSubprocess((*system)->processes());
  caf::scoped_actor self(actors);
  bool good = true;
  auto failed = [&](const caf::error& why) {
    std::cerr << troupe::StatusOf(why).message() << '\n';
    good = false;
  };
  self->request(child, caf::infinite, std::move(start))
      .receive([](const troupe::ProcessStarted&) {}, failed);
  self->request(child, caf::infinite, troupe::DetachProcess{})
      .receive(
          [](const troupe::ProcessDetached& detached) {
            std::cout << detached.pid << std::endl;
          },
          failed);
  return good ? 0 : 1;
}
