// A program with a guard is killed (kill -9) in the middle of starting
// children, again and again: nothing of it stays.
#include <signal.h>
#include <sys/wait.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "process/spawn.h"
#include "process/subreaper.h"
#include "tests/process/guarded_program_path.h"
#include "tests/process/ran_child.h"
#include "tests/support/child_program.h"
#include "tests/support/leak_check.h"
#include "tests/support/sanitized.h"
#include "tests/support/yield_until.h"

namespace troupe {
namespace {

// Orphans come to us, so that we see that they are gone.
class GuardStressTest : public LeakCheckedTest {
 protected:
  GuardStressTest() { EXPECT_TRUE(SetSubreaper(true).ok()); }
  ~GuardStressTest() override { EXPECT_TRUE(SetSubreaper(false).ok()); }

  // Returns when the tree is complete and so many children were told.
  static void WaitForChildren(SpawnedChild& program, int64_t count) {
    std::string text;
    while (std::count(text.begin(), text.end(), '\n') < 3 ||
           std::count(text.begin(), text.end(), '.') < count) {
      const std::string byte = ReadBytes(program.stdout_pipe.get(), 1);
      ASSERT_FALSE(byte.empty()) << text;
      text += byte;
    }
  }

  // Reaps whoever has ended; true when nobody is left.
  static bool NobodyIsLeft() {
    while (waitpid(-1, nullptr, WNOHANG) > 0) {
    }
    return waitpid(-1, nullptr, WNOHANG) < 0 && errno == ECHILD;
  }
};

// Children and tree would stay as long as we hold both pipes.
TEST_F(GuardStressTest, NothingStaysOfAProgramThatIsKilledWhileItStarts) {
  const int rounds = kSanitized ? 15 : 100;
  for (int round = 0; round < rounds; ++round) {
    auto started = Spawn(
        {.argv = {GuardedProgram(), "spawns", ChildProgram("exit_with_pid"),
                  ChildProgram("grow_tree"), "member", "ignore"},
         .stdin_from = Stdio::Pipe(),
         .stdout_to = Stdio::Pipe()});
    ASSERT_TRUE(started.ok()) << started.status();
    WaitForChildren(*started, 1 + round % 30);
    kill(started->pid, SIGKILL);
    EXPECT_TRUE(YieldUntil(NobodyIsLeft))
        << round << ": " << ::testing::PrintToString(Children());
    if (HasFailure()) break;
  }
  for (const std::string& child : Children()) {
    kill(std::stoi(child), SIGKILL);
  }
  EXPECT_TRUE(YieldUntil(NobodyIsLeft));
}

}  // namespace
}  // namespace troupe
