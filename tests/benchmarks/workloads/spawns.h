// W1: a child that ends at once is started, awaited and reaped, and then the
// next one. The variant is what is asked for each child (SpawnOptions), with
// `/1G` in a process that has a gigabyte resident.
//
// A subject has: Subject(program, options), Run(count).
#ifndef TROUPE_TESTS_BENCHMARKS_WORKLOADS_SPAWNS_H_
#define TROUPE_TESTS_BENCHMARKS_WORKLOADS_SPAWNS_H_

#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

#include "tests/benchmarks/allocations.h"
#include "tests/benchmarks/subject.h"
#include "tests/benchmarks/workloads/tiny_program.h"

namespace troupe {

// Each is set or is not.
struct SpawnOptions {
  bool place = false;    // cwd "/", and an environment of three variables
  bool session = false;  // a session of its own
  bool limits = false;   // umask, three rlimits, nice, dies with its parent
  bool ids = false;      // uid, gid and no groups: nobody's, if we are root

  // `plain`, `place`, `session`, `limits`, `ids` or `all`.
  static SpawnOptions Named(const std::string& name) {
    const bool all = name == "all";
    return {.place = all || name == "place",
            .session = all || name == "session",
            .limits = all || name == "limits",
            .ids = all || name == "ids"};
  }
};

constexpr const char* kPlaceFolder = "/";
constexpr const char* kPlaceEnvironment[] = {"HOME=/", "LANG=C", "NAME=tiny"};
// What a program that is not root may be, too, is itself.
constexpr unsigned kNobody = 65534;

template <class Subject>
void Spawns(const Run& run, Report& report) {
  const size_t slash = run.variant.find('/');
  const bool large = slash != std::string::npos;
  // Written, so that it is resident.
  std::vector<char> ballast(large ? size_t{1} << 30 : 0, 'x');
  const TinyProgram tiny;
  Subject subject(tiny.path(),
                  SpawnOptions::Named(run.variant.substr(0, slash)));
  subject.Run(run.count / 10 + 1);
  const int64_t begin = NowNs(), allocations = Allocations();
  subject.Run(run.count);
  report.Add("ns_per_child", (NowNs() - begin) / double(run.count));
  report.Add("allocations_per_child",
             (Allocations() - allocations) / double(run.count));
}

}  // namespace troupe

#endif  // TROUPE_TESTS_BENCHMARKS_WORKLOADS_SPAWNS_H_
