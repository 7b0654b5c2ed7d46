// What only the pidfd watcher has; every_watcher.h is for what all have.
#include "process/pidfd_watcher.h"

#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include <cstddef>
#include <fstream>
#include <string>
#include <thread>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "process/child_watcher.h"
#include "tests/process/ran_child.h"
#include "tests/process/watcher_fixture.h"

namespace troupe {
namespace {

class PidfdWatcherTest : public WatcherTest {
 protected:
  void SetUp() override { Use(WatcherKind::kPidfd); }

  static uint64_t CaughtSignals() {
    std::ifstream in("/proc/self/status");
    for (std::string line; std::getline(in, line);) {
      if (line.rfind("SigCgt:", 0) == 0) {
        return std::stoull(line.substr(7), nullptr, 16);
      }
    }
    return ~uint64_t{0};
  }

  // Forbids pidfd_open on this thread only, as a container's filter may.
  static bool ForbidPidfdOpen(int error_number) {
    sock_filter program[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_pidfd_open, 0, 1),
        BPF_STMT(BPF_RET | BPF_K,
                 SECCOMP_RET_ERRNO | static_cast<unsigned>(error_number)),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    sock_fprog filter = {4, program};
    return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
           prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) == 0;
  }
};

// "Done when": no SIGCHLD handler with the pidfd watcher, as the kernel says.
TEST_F(PidfdWatcherTest, CatchesNoSigchld) {
  pid_t a = NewChild();
  ASSERT_EQ(Watch(a), "");
  const uint64_t sigchld = uint64_t{1} << (SIGCHLD - 1);
  EXPECT_EQ(CaughtSignals() & sigchld, 0u);
  End(a);
  ASSERT_TRUE(trace_->WaitFor(Told(a, 0)));
  EXPECT_EQ(CaughtSignals() & sigchld, 0u);
}

// One that is already running and no child of ours: its end is told, how it
// ended only its parent knows.
TEST_F(PidfdWatcherTest, TellsTheEndOfAStrangerWithItsStatusLost) {
  auto leader = Spawn({.argv = {ChildProgram("lead_group"), "ignore"},
                       .stdin_from = Stdio::Null(),
                       .stdout_to = Stdio::Pipe()});
  ASSERT_TRUE(leader.ok());
  std::string line;
  while (line.empty() || line.back() != '\n') {
    line += ReadBytes(leader->stdout_pipe.get(), 1);
  }
  pid_t second = -1;
  ASSERT_TRUE(absl::SimpleAtoi(line, &second)) << line;
  ASSERT_EQ(WatchByPid(second), "");
  EXPECT_EQ(Info().watched, 1u);
  kill(second, SIGKILL);
  EXPECT_TRUE(trace_->WaitFor(Told(second, 255)));
  (void)SignalProcess(leader->pidfd.get(), SIGKILL);
  EndOf(&*leader);
}

// Row V2: the default is chosen by trying.
TEST_F(PidfdWatcherTest, IsTheDefaultUnlessItIsForbidden) {
  EXPECT_EQ(DefaultWatcherKind(), WatcherKind::kPidfd);
  for (int error_number : {EPERM, ENOSYS}) {
    WatcherKind kind = WatcherKind::kPidfd;
    bool forbidden = false;
    std::thread([&] {
      forbidden = ForbidPidfdOpen(error_number);
      kind = DefaultWatcherKind();
    }).join();
    if (!forbidden) GTEST_SKIP() << "no filters here";
    EXPECT_EQ(kind, WatcherKind::kThreaded);
  }
}

// Rows A13, C25: one descriptor each, no thread.
TEST_F(PidfdWatcherTest, NeedsNoThreadForAChild) {
  const int before = ThreadCount();
  for (int i = 0; i < 50; ++i) ASSERT_EQ(Watch(NewChild()), "");
  EXPECT_EQ(ThreadCount(), before);
}

}  // namespace
}  // namespace troupe
