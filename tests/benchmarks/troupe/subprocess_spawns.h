// W1 with subprocesses, each an actor.
#ifndef TROUPE_TESTS_BENCHMARKS_TROUPE_SUBPROCESS_SPAWNS_H_
#define TROUPE_TESTS_BENCHMARKS_TROUPE_SUBPROCESS_SPAWNS_H_

#include <cstdint>
#include <memory>
#include <string>

#include "actors/config.h"
#include "actors/system.h"
#include "caf/actor_system.hpp"
#include "process/command.h"
#include "tests/benchmarks/workloads/spawns.h"

namespace troupe {

class SubprocessSpawns {
 public:
  SubprocessSpawns(const std::string& program, const SpawnOptions& options);

  void Run(int64_t count);

 private:
  Config config_;
  caf::actor_system actors_{config_};
  const std::unique_ptr<System> system_;
  Command command_;
};

}  // namespace troupe

#endif  // TROUPE_TESTS_BENCHMARKS_TROUPE_SUBPROCESS_SPAWNS_H_
