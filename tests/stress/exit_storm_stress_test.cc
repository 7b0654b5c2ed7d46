// Thousands of children that live at once and end together, with each of the
// five watchers. The fixture compares descriptors, threads and children with
// those of the start.
#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cstddef>
#include <iostream>
#include <memory>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "io/owned_fd.h"
#include "process/child_watcher.h"
#include "process/descriptor_limit.h"
#include "process/subprocess.h"
#include "tests/process/every_watcher.h"
#include "tests/stress/outcomes.h"
#include "tests/support/leak_check.h"
#include "tests/support/sanitized.h"

namespace troupe {
namespace {

using ::testing::ElementsAre;
using ::testing::Pair;

class ExitStormStressTest : public EveryWatcherTest {
 protected:
  // A descriptor each, or a thread each; fewer where the limit is low.
  size_t Number() const {
    size_t number = kSanitized ? 1000 : 5000;
    if (kind() == kThreaded) number = 200;
    rlimit limit;
    getrlimit(RLIMIT_NOFILE, &limit);
    if (limit.rlim_cur >= number + 200) return number;
    std::cerr << "the limit on descriptors is " << limit.rlim_cur << "\n";
    return limit.rlim_cur - 200;
  }
};

INSTANTIATE_TEST_SUITE_P(All, ExitStormStressTest,
                         ::testing::ValuesIn(kEveryKind), NameOfKind);

// All wait for the end of the same pipe.
TEST_P(ExitStormStressTest, AllThatEndTogetherAreToldOnce) {
  ASSERT_TRUE(RaiseDescriptorLimit().ok());
  const size_t number = Number();
  Outcomes outcomes(*system_);
  int gate[2];
  ASSERT_EQ(pipe2(gate, O_CLOEXEC), 0);
  OwnedFd closed_by_us(gate[1]);
  StartProcess start = Quiet({ChildProgram("exit_with_pid")});
  start.command.stdin_from =
      Stdio::Descriptor(std::make_shared<const OwnedFd>(gate[0]));
  for (size_t i = 0; i < number; ++i) outcomes.Start(services(), start);
  outcomes.WaitForAnswers();
  EXPECT_EQ(Children().size(), number);
  EXPECT_EQ(Info().watched, number);
  closed_by_us.Close();
  outcomes.WaitUntilOver();
  EXPECT_EQ(Info().watched, 0u);
  StopAll();
  EXPECT_THAT(Counted(outcomes.Take()),
              ElementsAre(Pair("CM EXIT CL", number)));
}

}  // namespace
}  // namespace troupe
