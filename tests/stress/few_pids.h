// A program in a world with a few dozen pids, so that each is given to another
// process soon after its owner was reaped: whoever signals a stale number hits
// somebody.
//
//   int main(int argc, char** argv) {
//     return RunWithFewPids([&] { ... return RUN_ALL_TESTS(); });
//   }
//
// In a pid namespace with a pid_max of its own (pid_namespaces(7); Linux 6.14),
// with its own /proc. That needs root. Where it is refused `work` runs as it
// is, and a line on stderr says so.
#ifndef TROUPE_TESTS_STRESS_FEW_PIDS_H_
#define TROUPE_TESTS_STRESS_FEW_PIDS_H_

#include <functional>

namespace troupe {

// What `work` returned. Before there are threads.
int RunWithFewPids(const std::function<int()>& work);

// How many numbers go round, threads included; 0 outside of such a world.
int FewPids();

}  // namespace troupe

#endif  // TROUPE_TESTS_STRESS_FEW_PIDS_H_
