// Shows: a child process as an actor, and everything it tells its observer.
// Run:   ./bazelw run //examples:hello_child
// See:   the child's pid, its two lines, how it exited, and that all is
// drained.
#include <iostream>
#include <utility>

#include "actors/config.h"
#include "actors/system.h"
#include "caf/actor_system.hpp"
#include "caf/typed_event_based_actor.hpp"
#include "io/status_error.h"
#include "process/process_messages.h"
#include "process/subprocess.h"

namespace {

using troupe::ProcessObserver;

ProcessObserver::behavior_type Hello(ProcessObserver::pointer self,
                                     troupe::Subprocess child) {
  troupe::StartProcess start;
  start.command.argv = {"sh", "-c",
                        "echo hello; echo from a child >&2; exit 3"};
  start.command.stdin_from = troupe::Stdio::Null();
  start.command.stdout_to = troupe::Stdio::Pipe();
  start.command.stderr_to = troupe::Stdio::Merged();
  start.observer = self;
  self->request(child, caf::infinite, std::move(start))
      .then([](const troupe::ProcessStarted&) {},
            [=](const caf::error& why) {
              std::cerr << troupe::StatusOf(why).message() << '\n';
              self->quit();
            });
  return {
      [](const troupe::ProcessStarted& started) {
        std::cout << "started, pid " << started.pid << '\n';
      },
      [](const troupe::ProcessOutput& output) {
        std::cout << "output: " << output.bytes.view();
      },
      [](const troupe::StreamClosed&) { std::cout << "stdout closed\n"; },
      [](const troupe::ProcessExited& exited) {
        std::cout << "ended: " << exited.report.status.ToString() << '\n';
      },
      [=](const troupe::ProcessEnded&) {
        std::cout << "everything is drained\n";
        self->quit();
      },
      [](const troupe::PauseWriting&) {},
      [](const troupe::ResumeWriting&) {},
  };
}

}  // namespace

int main() {
  troupe::Config config;
  caf::actor_system actors(config);
  auto system = troupe::System::Start(actors);
  if (!system.ok()) {
    std::cerr << system.status().message() << '\n';
    return 1;
  }
  actors.spawn(Hello, troupe::SpawnSubprocess((*system)->processes()));
  return 0;  // ~System waits for Hello
}
