// Many starts at a limit of the system: descriptors, processes of a user, and
// the highest limit on descriptors that there can be. Each outcome is typed and
// comes once, and what was at its limit works again afterwards.
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <memory>
#include <string>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "io/owned_fd.h"
#include "process/spawn.h"
#include "process/subprocess.h"
#include "tests/process/ran_child.h"
#include "tests/stress/outcomes.h"
#include "tests/support/leak_check.h"
#include "tests/support/process_fixture.h"
#include "tests/support/sanitized.h"
#include "tests/support/scratch_folder.h"
#include "tests/support/seccomp_filter.h"

namespace troupe {
namespace {

using ::testing::AnyOf;
using ::testing::ElementsAre;
using ::testing::Pair;

// The limit on descriptors while it lives.
class DescriptorLimit {
 public:
  DescriptorLimit() { getrlimit(RLIMIT_NOFILE, &before_); }
  ~DescriptorLimit() { setrlimit(RLIMIT_NOFILE, &before_); }
  DescriptorLimit(const DescriptorLimit&) = delete;
  DescriptorLimit& operator=(const DescriptorLimit&) = delete;

  void Lower(rlim_t soft) {
    const rlimit limit = {soft, before_.rlim_max};
    EXPECT_EQ(setrlimit(RLIMIT_NOFILE, &limit), 0);
  }
  // To fs.nr_open, a thousand million on some systems; without the capability
  // to what we may have.
  void Raise() {
    rlim_t highest = 0;
    std::ifstream("/proc/sys/fs/nr_open") >> highest;
    rlimit limit = {highest, highest};
    if (setrlimit(RLIMIT_NOFILE, &limit) == 0) return;
    limit = {before_.rlim_max, before_.rlim_max};
    EXPECT_EQ(setrlimit(RLIMIT_NOFILE, &limit), 0);
    std::cerr << "the highest limit is " << limit.rlim_cur << " for us, "
              << highest << " for others\n";
  }

 private:
  rlimit before_;
};

class SpawnLimitsStressTest : public ProcessTest {
 protected:
  SpawnLimitsStressTest() {
    namespace fs = std::filesystem;
    // Every user may run it.
    fs::permissions(folder_.path(), fs::perms::owner_all |
                                        fs::perms::others_exec |
                                        fs::perms::group_exec);
    fs::copy_file(ChildProgram("exit_with_pid"), program_);
  }

  // Children that stay until the gate is opened.
  StartProcess AtGate(StartProcess start) {
    int ends[2];
    if (!gate_.valid()) {
      EXPECT_EQ(pipe2(ends, O_CLOEXEC), 0);
      gate_ = OwnedFd(ends[1]);
      waiting_ = std::make_shared<const OwnedFd>(ends[0]);
    }
    start.command.stdin_from = Stdio::Descriptor(waiting_);
    return start;
  }
  void OpenGate() {
    gate_.Close();
    waiting_.reset();
  }

  const ScratchFolder folder_;
  const std::string program_ = folder_.PathOf("exit_with_pid");
  OwnedFd gate_;
  std::shared_ptr<const OwnedFd> waiting_;
};

TEST_F(SpawnLimitsStressTest, DescriptorsRunOut) {
  if (kSanitized) GTEST_SKIP() << "the sanitizer itself needs descriptors";
  constexpr size_t kStarts = 300, kFree = 60;
  for (int round = 0; round < 10; ++round) {
    Outcomes outcomes(*system_);
    const StartProcess start = AtGate(Piped({program_}));
    const int next = OwnedFd(dup(0)).get();
    {
      DescriptorLimit limit;
      limit.Lower(next + kFree);
      for (size_t i = 0; i < kStarts; ++i) outcomes.Start(services(), start);
      outcomes.WaitForAnswers();
    }
    OpenGate();
    outcomes.WaitUntilOver();
    size_t good = 0, refused = 0;
    for (const auto& [what, times] : Counted(outcomes.Take())) {
      if (what == "CM EXIT CL") {
        good += times;
      } else if (absl::EndsWith(what, ": Too many open files")) {
        refused += times;
      } else {
        ADD_FAILURE() << what;
      }
    }
    // A child keeps two pipes and a pidfd here.
    EXPECT_GE(good, kFree / 3 - 5);
    EXPECT_LE(good, kFree / 3);
    EXPECT_EQ(good + refused, kStarts);
  }
}

// As many as the user may have, in each round: one that is refused is gone when
// that is told, and so is one that has ended. The kernel counts the new process
// or does not.
TEST_F(SpawnLimitsStressTest, ProcessesOfAUserRunOut) {
  if (geteuid() != 0) GTEST_SKIP() << "needs root";
  constexpr size_t kStarts = 200, kMay = 20;
  size_t good_at_first = 0;
  for (int round = 0; round < 10; ++round) {
    Outcomes outcomes(*system_);
    StartProcess start = AtGate(Quiet({program_}));
    start.command.uid = 54323;
    start.command.limits = {{RLIMIT_NPROC, kMay, kMay}};
    for (size_t i = 0; i < kStarts; ++i) outcomes.Start(services(), start);
    outcomes.WaitForAnswers();
    OpenGate();
    outcomes.WaitUntilOver();
    auto counted = Counted(outcomes.Take());
    const size_t good = counted["CM EXIT CL"];
    EXPECT_THAT(good, AnyOf(kMay, kMay + 1));
    if (round == 0) good_at_first = good;
    EXPECT_EQ(good, good_at_first);
    EXPECT_EQ(counted[absl::StrCat("UNAVAILABLE: exec \"", program_,
                                   "\": Resource temporarily unavailable")],
              kStarts - good);
  }
}

TEST_F(SpawnLimitsStressTest, TheHighestLimitOnDescriptorsMakesNoDifference) {
  constexpr size_t kStarts = 500;
  DescriptorLimit limit;
  limit.Raise();
  Outcomes outcomes(*system_);
  for (size_t i = 0; i < kStarts; ++i) {
    StartProcess start = Quiet({i % 2 == 0 ? program_ : "/no/such"});
    outcomes.Start(services(), std::move(start));
  }
  outcomes.WaitUntilOver();
  StopAll();
  EXPECT_THAT(
      Counted(outcomes.Take()),
      ElementsAre(
          Pair("CM EXIT CL", kStarts / 2),
          Pair("NOT_FOUND: exec \"/no/such\": No such file or directory",
               kStarts / 2)));
}

class HighestLimitTest : public LeakCheckedTest {};

// Whoever closes a number that cannot be open is ended by SIGSYS: nobody goes
// through all numbers, also where close_range(2) is unknown.
TEST_F(HighestLimitTest, AChildDoesNotCloseNumberByNumber) {
  DescriptorLimit limit;
  limit.Raise();
  const RefusedCall no_loop = {SYS_close, kEndsTheCaller, 0x7ffff000};
  const auto work = [] {
    int good = 0;
    for (int i = 0; i < 100; ++i) {
      auto child = Spawn({.argv = {ChildProgram("exit_with_pid")},
                          .stdin_from = Stdio::Null()});
      if (!child.ok()) return child.status().ToString();
      const int code = child->pid & 0x7f;
      good += EndOf(&*child) == ExitStatus::Exited(code);
    }
    return absl::StrCat(good);
  };
  EXPECT_EQ(RunRefusing({no_loop}, work), "100");
  EXPECT_EQ(RunRefusing({no_loop, {SYS_close_range, ENOSYS}}, work), "100");
}

}  // namespace
}  // namespace troupe
