#include "process/guard.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <map>
#include <sstream>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "process/cgroup.h"
#include "process/process_table.h"
#include "process/reap.h"
#include "process/subreaper.h"
#include "tests/process/grown_tree.h"
#include "tests/process/guarded_program_path.h"
#include "tests/process/ran_child.h"
#include "tests/support/child_program.h"
#include "tests/support/leak_check.h"
#include "tests/support/scratch_folder.h"

namespace troupe {
namespace {

// A guard alone, its pipe in our hand.
struct RunningGuard {
  RunningGuard() {
    auto started = Spawn({.argv = {GuardedProgram(), "--troupe-guard"},
                          .stdin_from = Stdio::Pipe()});
    EXPECT_TRUE(started.ok()) << started.status();
    child = *std::move(started);
  }
  void Tell(const std::string& lines) {
    EXPECT_EQ(write(child.stdin_pipe.get(), lines.data(), lines.size()),
              static_cast<ssize_t>(lines.size()));
  }
  // Our end, as the guard sees it; returns when it has done its work.
  ExitStatus End() { return EndOf(&child); }

  SpawnedChild child;
};

// Orphans come to us, so that we see that they are gone.
class GuardTest : public LeakCheckedTest {
 protected:
  GuardTest() { EXPECT_TRUE(SetSubreaper(true).ok()); }
  ~GuardTest() override { EXPECT_TRUE(SetSubreaper(false).ok()); }

  // Starts guarded_program with a tree and reads who is there.
  void StartProgram(const std::string& mode) {
    auto started =
        Spawn({.argv = {GuardedProgram(), mode, ChildProgram("grow_tree"),
                        "member", "ignore"},
               .stdout_to = Stdio::Pipe()});
    ASSERT_TRUE(started.ok()) << started.status();
    program_ = *std::move(started);
    std::string text;
    while (std::count(text.begin(), text.end(), '\n') < 4) {
      std::string byte = ReadBytes(program_.stdout_pipe.get(), 1);
      ASSERT_FALSE(byte.empty()) << text;
      text += byte;
    }
    for (const std::string& line :
         std::vector<std::string>(absl::StrSplit(text, '\n'))) {
      std::pair<std::string, std::string> fields = absl::StrSplit(line, ' ');
      int pid = 0;
      if (absl::SimpleAtoi(fields.second, &pid)) pids_[fields.first] = pid;
    }
  }
  void KillProgram() {
    kill(program_.pid, SIGKILL);
    (void)AwaitExit(program_.id());
    (void)Reap(program_.id());
  }
  static void ReapAll() {
    while (waitpid(-1, nullptr, 0) > 0) {
    }
  }

  SpawnedChild program_;
  std::map<std::string, pid_t> pids_;
};

// kill -9 in the middle: the children and what they have started end, and the
// guard last.
TEST_F(GuardTest, NothingIsLeftOfAProgramThatIsKilled) {
  StartProgram("guard");
  KillProgram();
  ReadToEnd(program_.stdout_pipe.get());
  ReapAll();
  EXPECT_FALSE(ReadProcess(pids_["ignore"]).has_value());
}

// What the test above would see without one.
TEST_F(GuardTest, WithoutItTheyLiveOn) {
  StartProgram("alone");
  KillProgram();
  for (const char* role : {"leader", "member", "ignore"}) {
    EXPECT_TRUE(ReadProcess(pids_[role])->IsAlive()) << role;
    kill(pids_[role], SIGKILL);
  }
  ReapAll();
}

TEST_F(GuardTest, EndsTheGroupsThatAreNotOver) {
  GrownTree ours({"member", "ignore"}, {.group = ProcessGroup::kNewGroup});
  GrownTree over({"member"}, {.group = ProcessGroup::kNewGroup});
  RunningGuard guard;
  guard.Tell(absl::StrCat("+", ours.leader().pid, "\n+", over.leader().pid,
                          "\n-", over.leader().pid, "\n"));
  EXPECT_EQ(guard.End(), ExitStatus::Exited(0));
  ours.AwaitEnd();
  EXPECT_TRUE(ReadProcess(over.pid("member"))->IsAlive());
  ours.End();
  over.End();
  ReapAll();
}

// Its number still means the group, as long as somebody is in it.
TEST_F(GuardTest, EndsAGroupWhoseLeaderIsGone) {
  GrownTree tree({"member", "ignore"}, {.group = ProcessGroup::kNewGroup});
  const pid_t leader = tree.leader().pid;
  RunningGuard guard;
  guard.Tell(absl::StrCat("+", leader, "\n"));
  kill(leader, SIGKILL);
  tree.Reap();
  EXPECT_EQ(guard.End(), ExitStatus::Exited(0));
  tree.AwaitEnd();
  ReapAll();
}

TEST_F(GuardTest, EndsACgroup) {
  auto cgroup = Cgroup::Make();
  if (!cgroup.ok()) GTEST_SKIP() << cgroup.status();
  GrownTree tree({"session", "orphan"}, {.cgroup = (*cgroup)->folder()});
  RunningGuard guard;
  guard.Tell(absl::StrCat("c", (*cgroup)->folder(), "\n"));
  guard.child.stdin_pipe.Close();
  tree.AwaitEnd();
  tree.End();
  ReapAll();  // also the guard
}

TEST_F(GuardTest, EndsNothingWhenWeEndInOrder) {
  GrownTree tree({"member"}, {.group = ProcessGroup::kNewGroup});
  {
    auto guard = Guard::Start({.argv = {GuardedProgram(), "--troupe-guard"}});
    ASSERT_TRUE(guard.ok()) << guard.status();
    EXPECT_TRUE((*guard)->Add(tree.leader().pid).ok());
  }
  EXPECT_TRUE(ReadProcess(tree.pid("member"))->IsAlive());
  tree.End();
  ReapAll();
}

// What a guard that does not read cannot be told waits for it: a group that is
// over is not killed, nor anybody when we end in order.
TEST_F(GuardTest, NoEndOfAGroupIsLostWhenItDoesNotRead) {
  ScratchFolder folder;
  const std::string told = folder.PathOf("told");
  auto guard =
      Guard::Start({.argv = {"sh", "-c", absl::StrCat("exec cat >", told)}});
  ASSERT_TRUE(guard.ok()) << guard.status();
  const pid_t pid = (*guard)->pid();
  EXPECT_TRUE((*guard)->AddCgroup("/none").ok());
  kill(pid, SIGSTOP);
  while ((*guard)->Add(1).ok()) {
  }
  EXPECT_EQ((*guard)->Add(1),
            absl::UnavailableError("write \"guard's pipe\": Resource "
                                   "temporarily unavailable"));
  EXPECT_TRUE((*guard)->Remove(7).ok());
  EXPECT_TRUE((*guard)->Remove(8).ok());
  std::thread end([&] { guard->reset(); });
  kill(pid, SIGCONT);
  end.join();
  std::stringstream all;
  all << std::ifstream(told).rdbuf();
  EXPECT_EQ(all.str().substr(0, 10), "c/none\n+1\n");
  EXPECT_EQ(all.str().substr(all.str().size() - 11), "+1\n-7\n-8\nq\n");
}

TEST_F(GuardTest, SaysThatItIsGone) {
  auto guard = Guard::Start({.argv = {GuardedProgram(), "--troupe-guard"}});
  ASSERT_TRUE(guard.ok()) << guard.status();
  kill((*guard)->pid(), SIGKILL);
  siginfo_t info;
  waitid(P_PID, (*guard)->pid(), &info, WEXITED | WNOWAIT);
  absl::Status told = (*guard)->Add(4711);
  EXPECT_EQ(told,
            absl::UnavailableError("write \"guard's pipe\": Broken pipe"));
}

}  // namespace
}  // namespace troupe
