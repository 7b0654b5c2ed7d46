// W1 with clone, execve and waitid and nothing else. What each child is asked
// for is written out in the child.
#ifndef TROUPE_TESTS_BENCHMARKS_LIMIT_LIMIT_SPAWNS_H_
#define TROUPE_TESTS_BENCHMARKS_LIMIT_LIMIT_SPAWNS_H_

#include <cstdint>
#include <string>
#include <vector>

#include "tests/benchmarks/workloads/spawns.h"

namespace troupe {

class LimitSpawns {
 public:
  LimitSpawns(std::string program, const SpawnOptions& options);

  void Run(int64_t count);

 private:
  static int Child(void* self);
  void StartAndReap();

  const std::string program_;
  const SpawnOptions options_;
  const unsigned id_;
  const int parent_;
  std::vector<char> stack_;
};

}  // namespace troupe

#endif  // TROUPE_TESTS_BENCHMARKS_LIMIT_LIMIT_SPAWNS_H_
