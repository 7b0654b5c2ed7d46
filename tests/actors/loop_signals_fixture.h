// A loop, and signals for its handlers.
#ifndef TROUPE_TESTS_ACTORS_LOOP_SIGNALS_FIXTURE_H_
#define TROUPE_TESTS_ACTORS_LOOP_SIGNALS_FIXTURE_H_

#include <signal.h>
#include <unistd.h>

#include <cstddef>

#include "tests/support/loop_fixture.h"

namespace troupe {

class LoopSignalsTest : public LoopFixture {
 protected:
  static void Raise(int number, int times = 1) {
    for (int i = 0; i < times; ++i) kill(getpid(), number);
  }
  static bool IsDefault(int number) {
    struct sigaction action;
    sigaction(number, nullptr, &action);
    return action.sa_handler == SIG_DFL;
  }
  // Until `count` callbacks have run.
  void RunUntilTold(size_t count) {
    RunUntil([&] { return told_.size() >= count; });
  }
};

}  // namespace troupe

#endif  // TROUPE_TESTS_ACTORS_LOOP_SIGNALS_FIXTURE_H_
