#include "examples/troupe/up.h"

#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <cstdlib>
#include <iostream>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "actors/config.h"
#include "actors/system.h"
#include "caf/actor_system.hpp"
#include "examples/troupe/color.h"
#include "examples/troupe/ending.h"
#include "examples/troupe/exit_code.h"
#include "examples/troupe/project.h"
#include "examples/troupe/selection.h"
#include "examples/troupe/up_actor.h"
#include "io/owned_fd.h"
#include "process/guard.h"
#include "process/guarded_spawner.h"
#include "process/process_messages.h"
#include "process/subprocess.h"

namespace troupe {
namespace {

int Refuse(const absl::Status& why) {
  std::cerr << "troupe: " << why.message() << '\n';
  return kUsageCode;
}

MemberSpec Member(const NamedProcess& process, const Project& project,
                  const UpOptions& options) {
  MemberSpec member;
  member.name = process.name;
  member.command.argv = {"/bin/sh", "-c", process.command};
  member.command.cwd = project.folder;
  for (const EnvVariable& variable : project.variables) {
    member.command.environment.set[variable.name] = variable.value;
  }
  member.command.stdin_from = Stdio::Null();
  member.command.stdout_to = Stdio::Pipe();
  member.command.stderr_to = Stdio::Merged();
  member.command.group = ProcessGroup::kNewGroup;
  // At once; the guard ends the rest of its group.
  member.command.parent_death_signal = SIGKILL;
  member.stop_plan.rungs[0].wait = absl::ToChronoNanoseconds(options.timeout);
  OnExit on_exit = process.on_exit.value_or(options.on_exit);
  if (on_exit == OnExit::kRestart) {
    member.restart.when = RestartWhen::kAlways;
    member.restart.max_restarts = std::nullopt;
  }
  member.on_end = on_exit == OnExit::kIgnore ? MemberSpec::OnEnd::kLetOthersRun
                                             : MemberSpec::OnEnd::kStopOthers;
  return member;
}

// If we are killed, it ends what our processes have started.
std::shared_ptr<Guard> StartGuard() {
  auto guard = Guard::Start(GuardCommand());
  if (guard.ok()) return *std::move(guard);
  std::cerr << "troupe: no guard against kill -9: " << guard.status().message()
            << '\n';
  return nullptr;
}

int Run(std::vector<MemberSpec> members, const UpOptions& options) {
  TakeNoSignals();
  Config config;
  caf::actor_system actors(config);
  std::shared_ptr<Guard> guard;  // outlives what it guards
  auto system = System::Start(actors);
  if (!system.ok()) return Refuse(system.status());
  guard = StartGuard();
  auto signals = (*system)->Signals();
  if (!signals.ok()) return Refuse(signals.status());
  auto out = OpenStandardOutput(**system, STDOUT_FILENO);
  if (!out.ok()) return Refuse(out.status());
  auto err = OpenStandardOutput(**system, STDERR_FILENO);
  if (!err.ok()) return Refuse(err.status());
  UpPlan plan;
  plan.services = (*system)->processes();
  if (guard != nullptr) {
    plan.services.spawner =
        SpawnGuarded((*system)->io().host(), guard, plan.services.spawner);
  }
  plan.signals = *signals;
  plan.members = std::move(members);
  plan.color = UseColor(options.no_color, isatty(STDOUT_FILENO) == 1,
                        std::getenv("NO_COLOR"));
  plan.had_terminal =
      OwnedFd(open("/dev/tty", O_RDONLY | O_CLOEXEC | O_NOCTTY)).valid();
  plan.out = &*out;
  plan.err = &*err;
  plan.one_file = SameFile(STDOUT_FILENO, STDERR_FILENO);
  Ending ending;
  auto actor = SpawnUp(std::move(plan), ending.sayer());
  TakeSignals();
  return ending.Await(actor);
}

}  // namespace

int Up(const UpOptions& options) {
  auto project = LoadProject(options.procfile);
  if (!project.ok()) return Refuse(project.status());
  if (!project->problems.empty()) {
    for (const std::string& problem : project->problems) {
      std::cerr << problem << '\n';
    }
    return kUsageCode;
  }
  auto processes =
      SelectProcesses(project->entries, options.only, options.counts);
  if (!processes.ok()) return Refuse(processes.status());
  std::vector<MemberSpec> members;
  for (const NamedProcess& process : *processes) {
    members.push_back(Member(process, *project, options));
  }
  return Run(std::move(members), options);
}

}  // namespace troupe
