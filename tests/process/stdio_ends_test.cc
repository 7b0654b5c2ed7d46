#include "process/stdio_ends.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <string>

#include "gtest/gtest.h"
#include "io/os_error.h"
#include "tests/support/leak_check.h"

namespace troupe {
namespace {

class StdioEndsTest : public LeakCheckedTest {};

TEST_F(StdioEndsTest, GivesTheChildTheRightSideOfAPipe) {
  for (int number : {0, 1, 2}) {
    auto ends = OpenStdio(Stdio::Pipe(), number);
    ASSERT_TRUE(ends.ok()) << ends.status();
    int child = number == 0 ? O_RDONLY : O_WRONLY;
    EXPECT_EQ(fcntl(ends->source, F_GETFL), child);
    EXPECT_TRUE(fcntl(ends->parent.get(), F_GETFL) & O_NONBLOCK);
    EXPECT_EQ(fcntl(ends->source, F_GETFD), FD_CLOEXEC);
    EXPECT_EQ(fcntl(ends->parent.get(), F_GETFD), FD_CLOEXEC);
  }
}

TEST_F(StdioEndsTest, OpensBothWaysToNowhere) {
  auto ends = OpenStdio(Stdio::Null(), 0);
  ASSERT_TRUE(ends.ok()) << ends.status();
  EXPECT_EQ(fcntl(ends->source, F_GETFL) & (O_ACCMODE | O_NONBLOCK), O_RDWR);
  EXPECT_FALSE(ends->parent.valid());
}

TEST_F(StdioEndsTest, BorrowsADescriptor) {
  OwnedFd fd(open("/dev/null", O_RDONLY | O_CLOEXEC));
  auto ends = OpenStdio(Stdio::Descriptor(fd.get()), 0);
  ASSERT_TRUE(ends.ok()) << ends.status();
  EXPECT_EQ(ends->source, fd.get());
  EXPECT_FALSE(ends->opened.valid());
}

TEST_F(StdioEndsTest, ReportsThatThereAreTooManyDescriptors) {
  rlimit before, none;
  getrlimit(RLIMIT_NOFILE, &before);
  none = {0, before.rlim_max};
  setrlimit(RLIMIT_NOFILE, &none);
  auto ends = OpenStdio(Stdio::Pipe(), 1);
  setrlimit(RLIMIT_NOFILE, &before);
  EXPECT_EQ(OsFailureOf(ends.status())->error_number, EMFILE);
}

// Core rule 5: O_NOCTTY. A session leader without a terminal would take the
// first one it opens; a plain fork stands in for such a daemon.
TEST_F(StdioEndsTest, DoesNotTakeATerminalItOpens) {
  OwnedFd master(posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC));
  ASSERT_EQ(grantpt(master.get()), 0);
  ASSERT_EQ(unlockpt(master.get()), 0);
  std::string path = ptsname(master.get());
  pid_t pid = fork();
  if (pid == 0) {
    setsid();
    auto ends = OpenStdio(Stdio::File(path, Stdio::FileMode::kRead), 0);
    if (!ends.ok()) _exit(2);
    _exit(open("/dev/tty", O_RDWR) >= 0 ? 1 : 0);
  }
  int status = 0;
  ASSERT_EQ(waitpid(pid, &status, 0), pid);
  EXPECT_EQ(status, 0);
}

}  // namespace
}  // namespace troupe
