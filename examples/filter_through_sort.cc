// Shows: bytes to a child's stdin and back from its stdout, with back-pressure.
// Run:   ./bazelw run //examples:filter_through_sort
// See:   four words in order, then how sort ended.
#include <iostream>
#include <string>
#include <utility>

#include "actors/config.h"
#include "actors/system.h"
#include "caf/actor_system.hpp"
#include "caf/send.hpp"
#include "caf/typed_event_based_actor.hpp"
#include "io/status_error.h"
#include "process/process_messages.h"
#include "process/subprocess.h"

namespace {

using troupe::ProcessObserver;

ProcessObserver::behavior_type Filter(ProcessObserver::pointer self,
                                      troupe::Subprocess sort) {
  troupe::StartProcess start;
  start.command.argv = {"sort"};
  start.command.environment.set["LC_ALL"] = "C";
  start.command.stdin_from = troupe::Stdio::Pipe();
  start.command.stdout_to = troupe::Stdio::Pipe();
  start.observer = self;
  self->request(sort, caf::infinite, std::move(start))
      .then([](const troupe::ProcessStarted&) {},
            [=](const caf::error& why) {
              std::cerr << troupe::StatusOf(why).message() << '\n';
              self->quit();
            });
  // Writes may come before the child is there: they wait for it.
  for (std::string word : {"troupe", "actor", "signal", "child"}) {
    caf::anon_send(sort, troupe::Write{troupe::Bytes(word + '\n'), {}});
  }
  self->send(sort, troupe::CloseStdin{});
  return {
      [](const troupe::ProcessStarted&) {},
      [](const troupe::ProcessOutput& output) {
        std::cout << output.bytes.view();
      },
      [](const troupe::StreamClosed&) {},
      [](const troupe::ProcessExited& exited) {
        std::cout << "sort: " << exited.report.status.ToString() << '\n';
      },
      [=](const troupe::ProcessEnded&) { self->quit(); },
      [](const troupe::PauseWriting&) {},  // a larger source would stop here
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
  actors.spawn(Filter, troupe::SpawnSubprocess((*system)->processes()));
  return 0;  // ~System waits for Filter
}
