// Shows: a program on a terminal of its own: its output, typing into it, a new
//        window size, its exit code.
// Run:   ./bazelw run //examples:pty_session
// See:   the size the program sees, what was typed, the new size, exit code 3.
#include <iostream>
#include <utility>

#include "actors/config.h"
#include "actors/system.h"
#include "caf/actor_system.hpp"
#include "caf/send.hpp"
#include "caf/typed_event_based_actor.hpp"
#include "io/status_error.h"
#include "process/command.h"
#include "process/process_messages.h"
#include "process/subprocess.h"

namespace {

using troupe::ProcessObserver;

struct Session {
  Session() =
      default;  // else CAF makes it from a pointer, and the bool is true
  bool typed = false;
};

ProcessObserver::behavior_type Terminal(
    ProcessObserver::stateful_pointer<Session> self,
    troupe::Subprocess program) {
  troupe::StartProcess start;
  start.command.argv = {"sh", "-c", "stty size; read go; stty size; exit 3"};
  troupe::UseTerminal(&start.command, {.rows = 50, .columns = 132});
  start.observer = self;
  self->request(program, caf::infinite, std::move(start))
      .then([](const troupe::ProcessStarted&) {},
            [=](const caf::error& why) {
              std::cerr << troupe::StatusOf(why).message() << '\n';
              self->quit();
            });
  return {
      [](const troupe::ProcessStarted&) {},
      [=](const troupe::ProcessOutput& output) {
        std::cout << output.bytes.view();  // its lines end with "\r\n"
        if (std::exchange(self->state.typed, true)) return;
        self->send(program, troupe::ResizePty{.rows = 24, .columns = 80});
        // As from a keyboard: the terminal echoes it.
        caf::anon_send(program, troupe::Write{troupe::Bytes("go on\n"), {}});
      },
      [](const troupe::StreamClosed&) {},  // stdin and stdout: one terminal
      [](const troupe::ProcessExited& exited) {
        std::cerr << "ended: " << exited.report.status.ToString() << '\n';
      },
      [=](const troupe::ProcessEnded&) { self->quit(); },
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
  actors.spawn(Terminal, troupe::SpawnSubprocess((*system)->processes()));
  return 0;  // ~System waits for Terminal
}
