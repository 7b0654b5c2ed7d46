// Children that a spawner makes, and their ends.
#ifndef TROUPE_TESTS_PROCESS_SPAWNER_FIXTURE_H_
#define TROUPE_TESTS_PROCESS_SPAWNER_FIXTURE_H_

#include <memory>
#include <utility>

#include "absl/status/statusor.h"
#include "process/child_lease.h"
#include "process/process_messages.h"
#include "process/reap.h"
#include "process/spawn_attempt.h"
#include "tests/support/process_fixture.h"

namespace troupe {

class SpawnerTest : public ProcessTest {
 protected:
  absl::StatusOr<ChildSpawned> Make(Command command) {
    return Ask<ChildSpawned>(
        spawner_,
        SpawnChild{std::move(command), std::make_shared<SpawnAttempt>()});
  }
  static ExitStatus EndAndReap(const ChildSpawned& spawned) {
    (void)AwaitExit(spawned.child->id());
    auto report = Reap(spawned.child->id());
    spawned.child->Settle();
    return report.ok() ? report->status : ExitStatus::Lost();
  }
};

}  // namespace troupe

#endif  // TROUPE_TESTS_PROCESS_SPAWNER_FIXTURE_H_
