// W1 with Spawn, on the caller's thread.
#ifndef TROUPE_TESTS_BENCHMARKS_TROUPE_PLAIN_SPAWNS_H_
#define TROUPE_TESTS_BENCHMARKS_TROUPE_PLAIN_SPAWNS_H_

#include <cstdint>
#include <cstdlib>
#include <string>

#include "process/reap.h"
#include "process/spawn.h"
#include "tests/benchmarks/troupe/spawn_command.h"

namespace troupe {

class PlainSpawns {
 public:
  PlainSpawns(const std::string& program, const SpawnOptions& options)
      : command_(SpawnCommand(program, options)) {}

  void Run(int64_t count) {
    while (count-- > 0) {
      auto child = Spawn(command_);
      if (!child.ok()) abort();
      const ChildId id = ChildId::ByPidfd(child->pidfd.get());
      if (!AwaitExit(id).ok() || !Reap(id)->status.success()) abort();
    }
  }

 private:
  const Command command_;
};

}  // namespace troupe

#endif  // TROUPE_TESTS_BENCHMARKS_TROUPE_PLAIN_SPAWNS_H_
