// What W1 asks for, as a command.
#ifndef TROUPE_TESTS_BENCHMARKS_TROUPE_SPAWN_COMMAND_H_
#define TROUPE_TESTS_BENCHMARKS_TROUPE_SPAWN_COMMAND_H_

#include <string>

#include "process/command.h"
#include "tests/benchmarks/workloads/spawns.h"

namespace troupe {

Command SpawnCommand(const std::string& program, const SpawnOptions& options);

}  // namespace troupe

#endif  // TROUPE_TESTS_BENCHMARKS_TROUPE_SPAWN_COMMAND_H_
