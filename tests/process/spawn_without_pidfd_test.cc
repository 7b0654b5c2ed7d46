// Where pidfds are forbidden, as in containers with an old seccomp filter: ask
// 33 of the peers, row V2. Which way is taken is settled by each spawn.
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "io/os_error.h"
#include "process/child_lease.h"
#include "process/child_signal.h"
#include "process/reap.h"
#include "process/spawn.h"
#include "process/spawn_attempt.h"
#include "tests/process/ran_child.h"
#include "tests/support/child_program.h"
#include "tests/support/leak_check.h"
#include "tests/support/scratch_folder.h"
#include "tests/support/seccomp_filter.h"

namespace troupe {
namespace {

// By the number that the filter answers with.
class SpawnWithoutPidfdTest : public LeakCheckedTest,
                              public ::testing::WithParamInterface<int> {
 protected:
  // The flags of clone3(2) no filter can see.
  RefusedCall Clone3() { return {SYS_clone3, ENOSYS}; }
  RefusedCall Clone() { return {SYS_clone, GetParam(), CLONE_PIDFD}; }
  RefusedCall Open() { return {SYS_pidfd_open, GetParam()}; }
  RefusedCall Signal() { return {SYS_pidfd_send_signal, GetParam()}; }
  std::vector<RefusedCall> All() {
    return {Clone3(), Clone(), Open(), Signal()};
  }

  static std::string Ended(SpawnedChild* child) {
    const bool known_by_pidfd = child->pidfd.valid();
    return absl::StrCat(known_by_pidfd ? "pidfd, " : "pid, ",
                        EndOf(child).ToString());
  }
  static std::string ExitWith5() {
    auto child = Spawn({.argv = {ChildProgram("exit_with"), "5"}});
    return child.ok() ? Ended(&*child) : child.status().ToString();
  }
  static std::string KillCat() {
    auto child = Spawn({.argv = {"/bin/cat"}, .stdin_from = Stdio::Pipe()});
    if (!child.ok()) return child.status().ToString();
    auto signalled = SignalChild(child->pid, child->pidfd.get(), SIGTERM);
    if (!signalled.ok()) return signalled.ToString();
    return Ended(&*child);
  }
};

// With a pidfd all the same.
TEST_P(SpawnWithoutPidfdTest, OpensOneWhenOnlyCloneMayNotMakeIt) {
  EXPECT_EQ(RunRefusing({Clone3(), Clone()}, ExitWith5), "pidfd, exit code 5");
}

TEST_P(SpawnWithoutPidfdTest, RunsAndReapsAChildByItsPid) {
  EXPECT_EQ(RunRefusing({Clone3(), Clone(), Open()}, ExitWith5),
            "pid, exit code 5");
}

TEST_P(SpawnWithoutPidfdTest, SignalsAChildByItsPid) {
  EXPECT_EQ(RunRefusing(All(), KillCat), "pid, killed by SIGTERM");
}

// The filter of an old container: clone(2) is known to it, the others are not.
TEST_P(SpawnWithoutPidfdTest, SignalsByThePidWhereOnlyThatIsForbidden) {
  EXPECT_EQ(RunRefusing({Open(), Signal()}, KillCat),
            "pidfd, killed by SIGTERM");
}

// Row P6: nothing is left, as with a pidfd. The filter's process looks.
TEST_P(SpawnWithoutPidfdTest, ReportsTheStepThatFailed) {
  EXPECT_EQ(RunRefusing(All(),
                        [] {
                          return std::string(
                              Spawn({.argv = {"/no/such"}}).status().message());
                        }),
            "exec \"/no/such\": No such file or directory");
}

// Ask 2 of the peers: the fast path is not lost. Only a vfork's parent waits
// until the child has its program.
TEST_P(SpawnWithoutPidfdTest, StaysOutOfTheChildsDirectoryAndMemory) {
  EXPECT_EQ(RunRefusing({Clone3(), Clone(), Open(), {SYS_fork, EPERM}},
                        [] {
                          SpawnAttempt attempt;
                          auto child = Spawn({.argv = {"/bin/true"}}, &attempt);
                          if (!child.ok()) return child.status().ToString();
                          // Written by the child: it runs in our memory.
                          const bool shared =
                              attempt.flags()->pid == child->pid;
                          EndOf(&*child);
                          return std::string(shared ? "shared" : "copied");
                        }),
            "shared");
}

TEST_P(SpawnWithoutPidfdTest, AbortsASpawnByThePid) {
  ScratchFolder folder;
  const std::string path = folder.PathOf("busy");
  RunToEnd({.argv = {"/bin/cp", "-L", ChildProgram("exit_with"), path}});
  OwnedFd writer(open(path.c_str(), O_WRONLY | O_CLOEXEC));
  EXPECT_EQ(
      RunRefusing(All(),
                  [&] {
                    SpawnAttempt attempt;
                    std::thread other([&] {
                      int* busy = &attempt.flags()->busy;
                      while (__atomic_load_n(busy, __ATOMIC_SEQ_CST) == 0) {
                        std::this_thread::yield();
                      }
                      attempt.Abort();
                    });
                    auto status = Spawn({.argv = {path}}, &attempt).status();
                    other.join();
                    return absl::StatusCodeToString(status.code());
                  }),
      "DEADLINE_EXCEEDED");
}

TEST_P(SpawnWithoutPidfdTest, SaysSoWhenThereMayBeNoChildAtAll) {
  const std::string expected = absl::StrCat("clone: ", ErrnoText(GetParam()));
  EXPECT_EQ(RunRefusing({Clone3(), {SYS_clone, GetParam()}},
                        [] {
                          auto child = Spawn({.argv = {"/bin/true"}});
                          return std::string(child.status().message());
                        }),
            expected);
}

// What actors hold: its id and signals are the pid's.
TEST_P(SpawnWithoutPidfdTest, ALeaseKnowsTheChildByItsPid) {
  EXPECT_EQ(
      RunRefusing(
          All(),
          [] {
            auto child =
                Spawn({.argv = {"/bin/cat"}, .stdin_from = Stdio::Pipe()});
            if (!child.ok()) return child.status().ToString();
            ChildLease lease(child->pid,
                             std::make_shared<OwnedFd>(std::move(child->pidfd)),
                             false, nullptr);
            if (!lease.Signal(SIGUSR1).ok()) return std::string("not");
            auto seen = AwaitExit(lease.id());
            auto reaped = Reap(lease.id());
            if (!reaped.ok()) return reaped.status().ToString();
            const bool gone = absl::IsNotFound(lease.Signal(0));
            return absl::StrCat(reaped->status.ToString(),
                                gone ? ", gone" : ", there");
          }),
      "killed by SIGUSR1, gone");
}

// A number that is no child of ours gets no signal, whoever it is.
TEST_P(SpawnWithoutPidfdTest, DoesNotSignalAStranger) {
  EXPECT_EQ(RunRefusing(All(),
                        [] {
                          absl::Status status =
                              SignalChild(getppid(), -1, SIGCONT);
                          return absl::StatusCodeToString(status.code());
                        }),
            "NOT_FOUND");
}

// What the filter answers is no answer to that question.
TEST_P(SpawnWithoutPidfdTest, TellsThatAReapedChildIsGone) {
  EXPECT_EQ(RunRefusing({Open(), Signal()},
                        [] {
                          auto child = Spawn({.argv = {"/bin/true"}});
                          if (!child.ok()) return child.status().ToString();
                          EndOf(&*child);
                          absl::Status status = SignalChild(
                              child->pid, child->pidfd.get(), SIGCONT);
                          return absl::StatusCodeToString(status.code());
                        }),
            "NOT_FOUND");
}

INSTANTIATE_TEST_SUITE_P(Filter, SpawnWithoutPidfdTest,
                         ::testing::Values(EPERM, ENOSYS),
                         [](const auto& info) {
                           return info.param == EPERM ? "EPERM" : "ENOSYS";
                         });

}  // namespace
}  // namespace troupe
