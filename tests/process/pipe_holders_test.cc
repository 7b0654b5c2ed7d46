// Rows A1, V5: whoever holds a child's stdout is named.
#include "process/pipe_holders.h"

#include <sys/socket.h>
#include <unistd.h>

#include <string>
#include <utility>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "process/reap.h"
#include "process/spawn.h"
#include "tests/process/ran_child.h"
#include "tests/support/child_program.h"
#include "tests/support/descriptors.h"
#include "tests/support/leak_check.h"

namespace troupe {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class PipeHoldersTest : public LeakCheckedTest {
 protected:
  // "pid pipe program" each.
  static std::vector<std::string> Holders(const std::vector<PipeId>& pipes) {
    std::vector<std::string> texts;
    auto holders = PipeHolders(pipes);
    EXPECT_TRUE(holders.ok()) << holders.status();
    for (const PipeHolder& h : *holders) {
      texts.push_back(absl::StrCat(h.pid, " ", h.pipe, " ", h.program));
    }
    return texts;
  }
  static std::string Me(size_t pipe) {
    return absl::StrCat(getpid(), " ", pipe, " pipe_holders_te");
  }
};

TEST_F(PipeHoldersTest, NamesTheGrandchildThatHoldsStdout) {
  auto child = Spawn({.argv = {ChildProgram("hold_stdout")},
                      .stdin_from = Stdio::Pipe(),
                      .stdout_to = Stdio::Pipe()});
  ASSERT_TRUE(child.ok()) << child.status();
  auto pipe = PipeIdOf(child->stdout_pipe.get());
  ASSERT_TRUE(pipe.has_value());
  std::string line;
  while (line.empty() || line.back() != '\n') {
    line += ReadBytes(child->stdout_pipe.get(), 1);
  }
  int grandchild = 0;
  ASSERT_TRUE(absl::SimpleAtoi(line, &grandchild));
  ASSERT_TRUE(AwaitExit(child->id()).ok());
  EXPECT_THAT(Holders({*pipe}),
              ElementsAre(absl::StrCat(grandchild, " 0 hold_stdout")));
  child->stdin_pipe.Close();
  ReadToEnd(child->stdout_pipe.get());
  EXPECT_THAT(Holders({*pipe}), IsEmpty());
  EndOf(&*child);
}

// Whoever only reads does not keep it from ending.
TEST_F(PipeHoldersTest, NamesWhoCanWriteAndNobodyElse) {
  auto [in, out] = MakePipe();
  auto [other_in, other_out] = MakePipe();
  const PipeId pipe = *PipeIdOf(in.get());
  EXPECT_EQ(pipe, *PipeIdOf(out.get()));
  EXPECT_NE(pipe, *PipeIdOf(other_out.get()));
  OwnedFd copy(dup(out.get()));
  EXPECT_THAT(Holders({pipe}), ElementsAre(Me(0)));
  EXPECT_THAT(Holders({*PipeIdOf(other_in.get()), pipe}),
              ElementsAre(Me(0), Me(1)));
  out.Close();
  EXPECT_THAT(Holders({pipe}), ElementsAre(Me(0)));
  copy.Close();
  EXPECT_THAT(Holders({pipe}), IsEmpty());
  EXPECT_THAT(Holders({}), IsEmpty());
}

TEST_F(PipeHoldersTest, KnowsNoPipeBehindWhatIsNone) {
  int ends[2];
  ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
  OwnedFd a(ends[0]), b(ends[1]);
  EXPECT_FALSE(PipeIdOf(a.get()).has_value());
  EXPECT_FALSE(PipeIdOf(-1).has_value());
}

}  // namespace
}  // namespace troupe
