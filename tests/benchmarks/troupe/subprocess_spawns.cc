#include "tests/benchmarks/troupe/subprocess_spawns.h"

#include <cstdlib>
#include <semaphore>

#include "caf/send.hpp"
#include "caf/typed_event_based_actor.hpp"
#include "io/io_thread.h"
#include "io/resident.h"
#include "process/process_messages.h"
#include "process/subprocess.h"
#include "tests/benchmarks/troupe/spawn_command.h"

namespace troupe {
namespace {

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
    : system_(*System::Start(actors_)),
      command_(SpawnCommand(program, options)) {}

void SubprocessSpawns::Run(int64_t count) {
  std::binary_semaphore done(0);
  SpawnResident<caf::hidden>(system_->io().host(), Runner, system_->processes(),
                             command_, count, &done);
  done.acquire();
}

}  // namespace troupe
