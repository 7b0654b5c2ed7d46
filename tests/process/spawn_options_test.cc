// Every option of a command that is not a descriptor or a signal: core rule 5,
// and row P5.
#include <fcntl.h>
#include <grp.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <string>
#include <thread>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "io/os_error.h"
#include "process/spawn.h"
#include "tests/process/ran_child.h"
#include "tests/support/child_program.h"
#include "tests/support/leak_check.h"

namespace troupe {
namespace {

class SpawnOptionsTest : public LeakCheckedTest {
 protected:
  Command PrintSelf() { return {.argv = {ChildProgram("print_self")}}; }

  static std::string OwnOomScore() {
    std::string text;
    std::ifstream("/proc/self/oom_score_adj") >> text;
    return text;
  }
};

TEST_F(SpawnOptionsTest, KeepsTheChildInOurGroupByDefault) {
  auto facts = Facts(OutputOf(PrintSelf()));
  EXPECT_EQ(facts["pgid"], absl::StrCat(getpgrp()));
  EXPECT_EQ(facts["sid"], absl::StrCat(getsid(0)));
  EXPECT_EQ(facts["ppid"], absl::StrCat(getpid()));
}

TEST_F(SpawnOptionsTest, MakesAGroup) {
  Command command = PrintSelf();
  command.group = ProcessGroup::kNewGroup;
  auto facts = Facts(OutputOf(command));
  EXPECT_EQ(facts["pgid"], facts["pid"]);
  EXPECT_EQ(facts["sid"], absl::StrCat(getsid(0)));
}

TEST_F(SpawnOptionsTest, JoinsAGroupThatIsThere) {
  auto leader = Spawn({.argv = {ChildProgram("wait_for_eof")},
                       .stdin_from = Stdio::Pipe(),
                       .group = ProcessGroup::kNewGroup});
  ASSERT_TRUE(leader.ok()) << leader.status();
  Command command = PrintSelf();
  command.join_group = leader->pid;
  EXPECT_EQ(Facts(OutputOf(command))["pgid"], absl::StrCat(leader->pid));
  EndOf(&*leader);
}

TEST_F(SpawnOptionsTest, ReportsAGroupItMayNotJoin) {
  auto other = Spawn({.argv = {ChildProgram("wait_for_eof")},
                      .stdin_from = Stdio::Pipe(),
                      .group = ProcessGroup::kNewSession});
  ASSERT_TRUE(other.ok()) << other.status();
  Command command = PrintSelf();
  command.join_group = other->pid;
  EXPECT_EQ(Spawn(command).status().message(),
            absl::StrCat("setpgid \"group ", other->pid,
                         "\": Operation not permitted"));
  EndOf(&*other);
}

// Row P5: sid and pgid are the pid.
TEST_F(SpawnOptionsTest, MakesASession) {
  Command command = PrintSelf();
  command.group = ProcessGroup::kNewSession;
  auto facts = Facts(OutputOf(command));
  EXPECT_EQ(facts["pgid"], facts["pid"]);
  EXPECT_EQ(facts["sid"], facts["pid"]);
  EXPECT_EQ(facts["foreground"], "-1");
}

// Core rule 5: descriptors, then session, then terminal. TIOCSCTTY needs both.
TEST_F(SpawnOptionsTest, TakesTheTerminalOnStdin) {
  OwnedFd master(posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC));
  ASSERT_TRUE(master.valid());
  ASSERT_EQ(grantpt(master.get()), 0);
  ASSERT_EQ(unlockpt(master.get()), 0);
  Command command = PrintSelf();
  command.stdin_from =
      Stdio::File(ptsname(master.get()), Stdio::FileMode::kRead);
  command.group = ProcessGroup::kNewSession;
  command.controlling_terminal = true;
  auto facts = Facts(OutputOf(command));
  EXPECT_EQ(facts["foreground"], facts["pid"]);
  EXPECT_LT(open("/dev/tty", O_RDWR | O_CLOEXEC), 0) << "it became ours";
}

TEST_F(SpawnOptionsTest, ReportsAStdinThatIsNoTerminal) {
  Command command = PrintSelf();
  command.stdin_from = Stdio::Null();
  command.group = ProcessGroup::kNewSession;
  command.controlling_terminal = true;
  EXPECT_EQ(OsFailureOf(Spawn(command).status())->step, "ioctl(TIOCSCTTY)");
}

// Row P5, and ours stays: CLONE_FS is not among the flags.
TEST_F(SpawnOptionsTest, SetsTheUmaskOfTheChildOnly) {
  mode_t ours = umask(022);
  Command command = PrintSelf();
  command.umask = 0027;
  EXPECT_EQ(Facts(OutputOf(command))["umask"], "0027");
  EXPECT_EQ(umask(ours), 022u);
}

TEST_F(SpawnOptionsTest, LeavesOurDirectoryAlone) {
  auto before = std::filesystem::current_path();
  EXPECT_FALSE(Spawn({.argv = {"/no/such"}, .cwd = "/"}).ok());
  EXPECT_EQ(std::filesystem::current_path(), before);
}

TEST_F(SpawnOptionsTest, SetsResourceLimits) {
  Command command = PrintSelf();
  command.limits = {{RLIMIT_NOFILE, 77, 88}};
  EXPECT_EQ(Facts(OutputOf(command))["nofile"], "77");
}

// Core rule 5: descriptors come before the limits that would forbid them.
TEST_F(SpawnOptionsTest, GivesDescriptorsAboveTheChildsOwnLimit) {
  Command command = PrintSelf();
  command.limits = {{RLIMIT_NOFILE, 10, 10}};
  command.extra_fds = {{.child_number = 50, .fd = 0}};
  EXPECT_EQ(Facts(OutputOf(command))["nofile"], "10");
}

TEST_F(SpawnOptionsTest, ReportsALimitThatDoesNotExist) {
  Command command = PrintSelf();
  command.limits = {{1000, 1, 1}};
  EXPECT_EQ(Spawn(command).status().message(),
            "setrlimit \"resource 1000\": Invalid argument");
}

TEST_F(SpawnOptionsTest, LeavesSchedulingAsOursIs) {
  auto ours = Facts(OutputOf({.argv = {ChildProgram("print_self")}}));
  EXPECT_EQ(ours["nice"], absl::StrCat(getpriority(PRIO_PROCESS, 0)));
  EXPECT_EQ(ours["oom_score_adj"], OwnOomScore());
}

TEST_F(SpawnOptionsTest, SetsTheNiceValueOfTheChildOnly) {
  const int before = getpriority(PRIO_PROCESS, 0);
  Command command = PrintSelf();
  command.scheduling.nice = 17;
  EXPECT_EQ(Facts(OutputOf(command))["nice"], "17");
  EXPECT_EQ(getpriority(PRIO_PROCESS, 0), before);
}

TEST_F(SpawnOptionsTest, KeepsTheChildOnTheProcessorsGiven) {
  cpu_set_t ours, after;
  ASSERT_EQ(sched_getaffinity(0, sizeof ours, &ours), 0);
  int last = CPU_SETSIZE - 1;
  while (!CPU_ISSET(last, &ours)) --last;
  Command command = PrintSelf();
  command.scheduling.cpus = {last};
  EXPECT_EQ(Facts(OutputOf(command))["cpus"], absl::StrCat(last));
  ASSERT_EQ(sched_getaffinity(0, sizeof after, &after), 0);
  EXPECT_TRUE(CPU_EQUAL(&ours, &after));
}

TEST_F(SpawnOptionsTest, ReportsProcessorsThatAreNotThere) {
  Command command = PrintSelf();
  command.scheduling.cpus = {kMaxCpus - 1};
  EXPECT_EQ(Spawn(command).status().message(),
            "sched_setaffinity: Invalid argument");
}

// The child runs in our memory, to which the kernel's score would belong, were
// it not for the vfork.
TEST_F(SpawnOptionsTest, SetsTheOomScoreOfTheChildOnly) {
  const std::string before = OwnOomScore();
  Command command = PrintSelf();
  command.scheduling.oom_score_adj = 789;
  EXPECT_EQ(Facts(OutputOf(command))["oom_score_adj"], "789");
  EXPECT_EQ(OwnOomScore(), before);
}

// The limits of the child could forbid both, so they come later.
TEST_F(SpawnOptionsTest, SetsSchedulingBeforeTheLimits) {
  Command command = PrintSelf();
  command.limits = {{RLIMIT_NOFILE, 3, 3}};
  command.scheduling.oom_score_adj = 789;
  RanChild ran = RunToEnd(command);
  EXPECT_TRUE(ran.spawned.ok()) << ran.spawned;
}

TEST_F(SpawnOptionsTest, GivesNoParentDeathSignalByDefault) {
  EXPECT_EQ(Facts(OutputOf(PrintSelf()))["pdeathsig"], "0");
}

// Core rule 5: the child dies with the thread that spawned it.
TEST_F(SpawnOptionsTest, DiesWithTheThreadThatSpawnedIt) {
  SpawnedChild child;
  std::thread spawner([&] {
    auto spawned = Spawn({.argv = {ChildProgram("wait_for_eof")},
                          .stdin_from = Stdio::Pipe(),
                          .stdout_to = Stdio::Pipe(),
                          .parent_death_signal = SIGUSR2});
    if (spawned.ok()) child = *std::move(spawned);
  });
  spawner.join();
  ASSERT_TRUE(child.pidfd.valid());
  ReadToEnd(child.stdout_pipe.get());
  EXPECT_EQ(EndOf(&child), ExitStatus::Killed(SIGUSR2));
}

// Row P6: what a child without rights may not do names the step.
TEST_F(SpawnOptionsTest, ReportsSchedulingItMayNotTake) {
  if (geteuid() != 0) GTEST_SKIP() << "needs root";
  absl::Status nice, score;
  std::thread powerless([&] {
    syscall(SYS_setresuid, 12345, 12345, 12345);  // this thread alone
    nice = Spawn({.argv = {"/bin/true"}, .scheduling = {.nice = -5}}).status();
    score =
        Spawn({.argv = {"/bin/true"}, .scheduling = {.oom_score_adj = -999}})
            .status();
  });
  powerless.join();
  prctl(PR_SET_DUMPABLE, 1, 0, 0, 0);
  EXPECT_EQ(nice.message(), "setpriority \"nice -5\": Permission denied");
  EXPECT_EQ(OsFailureOf(score)->path, "/proc/self/oom_score_adj");
  EXPECT_EQ(OsFailureOf(score)->error_number, EACCES) << score;
}

// What only root can ask for.
class SpawnIdsTest : public SpawnOptionsTest {
 protected:
  void SetUp() override {
    if (geteuid() != 0) GTEST_SKIP() << "needs root";
    // A program under the test's folder may be out of another user's reach.
    std::string pattern = "/tmp/troupe_idsXXXXXX";
    folder_ = mkdtemp(pattern.data());
    chmod(folder_.c_str(), 0755);
    program_ = folder_ + "/print_self";
    EXPECT_EQ(RunToEnd({.argv = {"/bin/cp", "-L", ChildProgram("print_self"),
                                 program_}})
                  .status,
              ExitStatus::Exited(0));
  }
  void TearDown() override {
    unlink(program_.c_str());
    rmdir(folder_.c_str());
  }

  std::string folder_;
  std::string program_;
};

// Core rule 5: groups, gid, uid, and the parent-death signal after the uid that
// clears it.
TEST_F(SpawnIdsTest, SetsGroupsGidAndUidInThatOrder) {
  auto facts = Facts(OutputOf({.argv = {program_},
                               .uid = 12345,
                               .gid = 23456,
                               .groups = {{7, 8}},
                               .parent_death_signal = SIGTERM}));
  EXPECT_EQ(facts["uid"], "12345");
  EXPECT_EQ(facts["gid"], "23456");
  EXPECT_EQ(facts["groups"], "7,8");
  EXPECT_EQ(facts["pdeathsig"], absl::StrCat(SIGTERM));
}

TEST_F(SpawnIdsTest, DropsAllGroupsWhenTheListIsEmpty) {
  auto facts =
      Facts(OutputOf({.argv = {program_}, .groups = std::vector<gid_t>()}));
  EXPECT_EQ(facts["groups"], "");
}

// Core rule 5: limits come before the uid that may no longer raise them.
TEST_F(SpawnIdsTest, SetsLimitsWhileStillRoot) {
  rlimit now;
  ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &now), 0);
  const rlimit higher = {now.rlim_cur, now.rlim_max + 1};
  if (setrlimit(RLIMIT_NOFILE, &higher) != 0) {
    GTEST_SKIP() << "needs CAP_SYS_RESOURCE";
  }
  setrlimit(RLIMIT_NOFILE, &now);
  RanChild ran =
      RunToEnd({.argv = {program_},
                .stdout_to = Stdio::Null(),
                .limits = {{RLIMIT_NOFILE, now.rlim_cur, now.rlim_max + 1}},
                .uid = 12345});
  EXPECT_TRUE(ran.spawned.ok()) << ran.spawned;
}

// Core rule 5: the child's ids are set in our memory, and the kernel takes the
// flag from us.
TEST_F(SpawnIdsTest, RestoresDumpableAfterUidChange) {
  ASSERT_EQ(prctl(PR_SET_DUMPABLE, 1, 0, 0, 0), 0);
  EXPECT_EQ(RunToEnd({.argv = {program_},
                      .stdout_to = Stdio::Null(),
                      .uid = 12345,
                      .gid = 12345})
                .status,
            ExitStatus::Exited(0));
  EXPECT_EQ(prctl(PR_GET_DUMPABLE, 0, 0, 0, 0), 1);
  EXPECT_FALSE(Spawn({.argv = {"/no/such"}, .uid = 12345}).ok());
  EXPECT_EQ(prctl(PR_GET_DUMPABLE, 0, 0, 0, 0), 1);
}

TEST_F(SpawnIdsTest, LeavesAProcessUndumpableThatWasSo) {
  ASSERT_EQ(prctl(PR_SET_DUMPABLE, 0, 0, 0, 0), 0);
  EXPECT_TRUE(
      RunToEnd({.argv = {program_}, .stdout_to = Stdio::Null(), .uid = 12345})
          .spawned.ok());
  EXPECT_EQ(prctl(PR_GET_DUMPABLE, 0, 0, 0, 0), 0);
  prctl(PR_SET_DUMPABLE, 1, 0, 0, 0);
}

TEST_F(SpawnIdsTest, SetsSchedulingWhileStillRoot) {
  auto facts = Facts(OutputOf({.argv = {program_},
                               .scheduling = {.nice = -3, .oom_score_adj = 700},
                               .uid = 12345}));
  EXPECT_EQ(facts["nice"], "-3");
  EXPECT_EQ(facts["oom_score_adj"], "700");
}

// Row P6: refused ids name the step. A child without root's rights tries.
TEST_F(SpawnIdsTest, ReportsAUidItMayNotTake) {
  absl::Status status;
  std::thread powerless([&] {
    syscall(SYS_setresuid, 12345, 12345, 12345);  // this thread alone
    status = Spawn({.argv = {"/bin/true"}, .uid = 54321}).status();
  });
  powerless.join();
  prctl(PR_SET_DUMPABLE, 1, 0, 0, 0);
  EXPECT_EQ(status.message(), "setuid \"uid 54321\": Operation not permitted");
}

}  // namespace
}  // namespace troupe
