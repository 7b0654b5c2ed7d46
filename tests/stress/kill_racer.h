// Starts children that end by themselves, and signals them at that moment, one
// after the other.
//
//   KillRace race{.services = services(), .program = ..., .rounds_left = 1000};
//   for (int i = 0; i < 16; ++i) StartKillRacer(*system_, race, i);
//   race.over.acquire();             // as often: each, when no round is left
//
// A round is a child: it is told to end by the end of its stdin, and signalled
// just before, just after, a little later, or when its exit was told. A racer
// also signals children of some rounds ago, whose pids others have by now: that
// must be refused. Every fourth racer signals nobody; whom a signal hits there
// was hit as a stranger. Half of the others signal groups.
//
// What was wrong is a line in `problems`, by any thread.
#ifndef TROUPE_TESTS_STRESS_KILL_RACER_H_
#define TROUPE_TESTS_STRESS_KILL_RACER_H_

#include <atomic>
#include <cstdint>
#include <mutex>
#include <semaphore>
#include <set>
#include <string>

#include "caf/fwd.hpp"
#include "process/subprocess.h"

namespace troupe {

class RaceProblems {
 public:
  void Add(const std::string& line) {
    std::lock_guard<std::mutex> lock(mutex_);
    lines_.insert(line);
  }
  std::set<std::string> lines() const {
    std::lock_guard<std::mutex> lock(mutex_);
    return lines_;
  }

 private:
  mutable std::mutex mutex_;
  std::set<std::string> lines_;
};

struct KillRace {
  ProcessServices services;
  std::string program;  // exit_with_pid
  std::atomic<int64_t> rounds_left{0};
  std::counting_semaphore<> over{0};

  std::atomic<int64_t> exited{0};
  std::atomic<int64_t> killed{0};
  std::atomic<int64_t> spared{0};       // of who signals nobody
  std::atomic<int64_t> sent{0};         // signals that were taken
  std::atomic<int64_t> refused{0};      // because it had ended
  std::atomic<int64_t> tried_again{0};  // starts that found no pid free

  RaceProblems problems = {};
};

// On a worker. `race` outlives it.
void StartKillRacer(caf::actor_system& system, KillRace& race, int number);

}  // namespace troupe

#endif  // TROUPE_TESTS_STRESS_KILL_RACER_H_
