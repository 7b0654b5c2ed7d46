#include "tests/benchmarks/troupe/subprocess_spawns.h"

#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cstdlib>
#include <semaphore>

#include "absl/strings/str_split.h"
#include "caf/send.hpp"
#include "caf/typed_event_based_actor.hpp"
#include "io/io_thread.h"
#include "io/resident.h"
#include "process/process_messages.h"
#include "process/subprocess.h"

namespace troupe {
namespace {

Command CommandOf(const std::string& program, const SpawnOptions& options) {
  Command command;
  command.argv = {program};
  if (options.place) {
    command.cwd = kPlaceFolder;
    command.environment.inherit = false;
    for (const char* variable : kPlaceEnvironment) {
      command.environment.set.insert(absl::StrSplit(variable, '='));
    }
  }
  if (options.session) command.group = ProcessGroup::kNewSession;
  if (options.limits) {
    command.umask = 077;
    command.scheduling.nice = 1;
    command.limits = {{RLIMIT_CORE, 0, 0},
                      {RLIMIT_NOFILE, 100, 100},
                      {RLIMIT_FSIZE, 1 << 20, 1 << 20}};
    command.parent_death_signal = SIGKILL;
  }
  if (options.ids) {
    const bool root = getuid() == 0;
    command.uid = command.gid = root ? kNobody : getuid();
    if (root) command.groups.emplace();
  }
  return command;
}

// Starts one after the other.
ProcessObserver::behavior_type Runner(Resident<ProcessObserver::base>* self,
                                      ProcessServices services, Command command,
                                      int64_t left,
                                      std::binary_semaphore* done) {
  const auto start = [=] {
    caf::anon_send(SpawnSubprocess(services),
                   StartProcess{command, ProcessObserver(self)});
  };
  start();
  return {
      [](const ProcessStarted&) {},
      [](const ProcessOutput&) {},
      [](const StreamClosed&) {},
      [](const ProcessExited& exited) {
        if (!exited.report.status.success()) abort();
      },
      [=](const ProcessEnded&) mutable {
        if (--left > 0) return start();
        self->quit();
        done->release();
      },
      [](const PauseWriting&) {},
      [](const ResumeWriting&) {},
  };
}

}  // namespace

SubprocessSpawns::SubprocessSpawns(const std::string& program,
                                   const SpawnOptions& options)
    : system_(*System::Start(actors_)), command_(CommandOf(program, options)) {}

void SubprocessSpawns::Run(int64_t count) {
  std::binary_semaphore done(0);
  SpawnResident<caf::hidden>(system_->io().host(), Runner, system_->processes(),
                             command_, count, &done);
  done.acquire();
}

}  // namespace troupe
