// A hundred thousand rounds of a signal that races the end of a child, with
// each of the five watchers, where pids are given again at once: nobody but the
// child is ever hit (core rule 6). One program, two targets: with the argument
// `without_pidfds` the kernel forbids them, and a child is known by its number.
#include <sched.h>
#include <sys/syscall.h>

#include <cerrno>
#include <cstdint>
#include <iostream>
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "process/child_watcher.h"
#include "tests/process/every_watcher.h"
#include "tests/stress/few_pids.h"
#include "tests/stress/kill_racer.h"
#include "tests/support/sanitized.h"
#include "tests/support/seccomp_filter.h"

namespace troupe {
namespace {

bool without_pidfds = false;

// For each watcher; a fourth of it is of racers that signal nobody.
int64_t Rounds() {
  int64_t rounds = 27'000;
  if (kSanitized) rounds /= 20;
  if (without_pidfds) rounds /= 5;
  return rounds;
}

class KillRaceStressTest : public EveryWatcherTest {
 protected:
  // A child needs a number, and perhaps a thread, which needs one, too.
  int Racers() const { return kind() == kThreaded ? 8 : 16; }
};

INSTANTIATE_TEST_SUITE_P(All, KillRaceStressTest,
                         ::testing::ValuesIn(kEveryKind), NameOfKind);

TEST_P(KillRaceStressTest, HitsTheChildOrNobody) {
  if (without_pidfds && kind() == kPidfd) GTEST_SKIP() << "has none";
  KillRace race{.services = services(),
                .program = ChildProgram("exit_with_pid")};
  race.rounds_left = Rounds();
  for (int i = 0; i < Racers(); ++i) StartKillRacer(*system_, race, i);
  for (int i = 0; i < Racers(); ++i) race.over.acquire();
  race.services = ProcessServices();
  std::cout << race.exited << " exited, " << race.killed << " were killed, "
            << race.spared << " were not signalled; " << race.sent
            << " signals sent, " << race.refused << " refused; " << FewPids()
            << " pids, " << race.tried_again << " times none was free\n";
  EXPECT_THAT(race.problems.lines(), ::testing::IsEmpty());
  EXPECT_EQ(race.exited + race.killed + race.spared, Rounds());
  // Both ends of the race were seen.
  EXPECT_GT(race.exited, 0);
  EXPECT_GT(race.killed, 0);
}

int Run(int argc, char** argv) {
  testing::InitGoogleTest(&argc, argv);
  without_pidfds = argc > 1 && std::string(argv[1]) == "without_pidfds";
  if (without_pidfds && !RefuseCalls({{SYS_clone3, ENOSYS},
                                      {SYS_clone, EPERM, CLONE_PIDFD},
                                      {SYS_pidfd_open, EPERM},
                                      {SYS_pidfd_send_signal, EPERM}})) {
    std::cerr << "the kernel has no filters\n";
    return 1;
  }
  return RUN_ALL_TESTS();
}

}  // namespace
}  // namespace troupe

int main(int argc, char** argv) {
  return troupe::RunWithFewPids([&] { return troupe::Run(argc, argv); });
}
