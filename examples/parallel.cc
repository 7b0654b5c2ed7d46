// Shows: many commands, N at once (an admission before the spawner), and the
//        output of each in one piece.
// Run:   seq 9 | sed 's/^/sleep 0./' | bazel-bin/examples/parallel -j 3
// See:   lines run by a shell; a bar on a terminal; what failed. The exit code
//        is GNU parallel's: how many failed, at most 101; 130 after Ctrl-C.
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <iostream>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "actors/config.h"
#include "actors/system.h"
#include "caf/actor_system.hpp"
#include "caf/send.hpp"
#include "caf/typed_event_based_actor.hpp"
#include "io/status_error.h"
#include "process/process.h"
#include "process/spawn_admission.h"
#include "signals/stop_on_signals.h"

namespace {

using Observer = troupe::StopObserver;
struct Job {
  std::string line;
  troupe::Process process = {};
  bool started = false;
};

struct Run {
  void Start(Job& job) {
    auto shell = troupe::Command::Shell(job.line);
    shell.stdin_from = troupe::Stdio::Null();
    shell.stdout_to = shell.stderr_to = troupe::Stdio::Pipe();
    shell.group = troupe::ProcessGroup::kNewGroup;  // Ctrl-C does not reach it
    shell.parent_death_signal = SIGTERM;            // should we be killed
    troupe::LaunchProcess launch{.command = shell, .owner = self->address()};
    launch.spawn_deadline = absl::InfiniteDuration();  // its turn may come late
    self->request(job.process, caf::infinite, launch)
        .then([&](const troupe::ProcessStarted&) { job.started = true; },
              [](const caf::error&) {});  // Communicate fails, too
    self->request(job.process, caf::infinite, troupe::Communicate{})
        .then([&, this](const troupe::Communicated& all) { Ended(job, all); },
              [&, this](const caf::error& why) {
                Done(job, std::string(troupe::StatusOf(why).message()));
              });
  }

  void Ended(const Job& job, const troupe::Communicated& all) {
    if (terminal) std::cerr << "\r\x1b[K";  // the bar
    std::cout << all.out->head << std::flush;
    std::cerr << all.err->head;
    const troupe::ExitStatus& how = all.exit.report.status;
    Done(job, how.success() ? "" : how.ToString());
  }

  void Done(const Job& job, const std::string& failure) {
    if (!failure.empty()) failures.push_back(failure + ": " + job.line);
    const std::string bar(40 * ++done / jobs.size(), '#');
    if (terminal) std::cerr << '\r' << done << '/' << jobs.size() << ' ' << bar;
    if (done == jobs.size()) self->quit();
  }

  void Stop() {
    stopped = true;
    for (const Job& job : jobs) {
      job.started ? caf::anon_send(job.process, troupe::StopProcess{})
                  : caf::anon_send(job.process, troupe::CloseProcess{});
    }
  }

  std::vector<Job> jobs = {};
  Observer::pointer self = nullptr;
  std::vector<std::string> failures = {};
  size_t done = 0;
  bool stopped = false;
  const bool terminal = isatty(STDERR_FILENO) == 1;
};

Observer::behavior_type Parallel(Observer::pointer self, Run* run) {
  run->self = self;
  return {[=](const troupe::StopOnSignalsReady&) {
            for (Job& job : run->jobs) run->Start(job);
          },
          [=](const troupe::StopRequested&) { run->Stop(); },
          [=](const troupe::StopForced&) { self->quit(); }};  // ~System kills
}

}  // namespace

int main(int argc, char** argv) {
  const bool chosen = argc == 3 && std::string(argv[1]) == "-j";
  const int at_once = chosen ? std::atoi(argv[2]) : 0;
  if (at_once < 1) return std::cerr << "usage: parallel -j N < jobs\n", 255;
  troupe::Config config;
  caf::actor_system actors(config);
  auto system = troupe::System::Start(actors);
  if (!system.ok()) return 255;
  auto services = (*system)->processes();
  services.spawner = troupe::SpawnAdmission(
      *services.host, services.io, services.spawner, {.live = size_t(at_once)});
  Run run;
  for (std::string line; std::getline(std::cin, line);) {
    run.jobs.push_back({line, troupe::SpawnProcess(services)});
  }
  auto relay = (*system)->Signals();
  if (!relay.ok() || run.jobs.empty()) return relay.ok() ? 0 : 255;
  troupe::SpawnStopOnSignals(*services.host, services.io, *relay, {},
                             actors.spawn(Parallel, &run));
  system->reset();  // waits for Parallel
  if (run.terminal) std::cerr << '\n';
  for (const std::string& failure : run.failures) std::cerr << failure << '\n';
  return run.stopped ? 130 : std::min<size_t>(run.failures.size(), 101);
}
