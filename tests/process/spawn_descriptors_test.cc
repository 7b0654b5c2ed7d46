// The child's other descriptors: core rule 5, "descriptors, close_range".
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "io/owned_fd.h"
#include "process/command.h"
#include "process/exit_status.h"
#include "process/spawn.h"
#include "tests/process/ran_child.h"
#include "tests/process/spawn_files.h"
#include "tests/support/child_program.h"
#include "tests/support/seccomp_filter.h"

namespace troupe {
namespace {

class SpawnDescriptorsTest : public SpawnFilesTest {};

TEST_F(SpawnDescriptorsTest, GivesTheChildNoExtraDescriptors) {
  OwnedFd inheritable(open("/dev/null", O_RDONLY));  // no O_CLOEXEC
  OwnedFd high(fcntl(inheritable.get(), F_DUPFD, 700));
  EXPECT_EQ(OutputOf({.argv = {ChildProgram("print_fds")},
                      .stdin_from = Stdio::Null(),
                      .stderr_to = Stdio::Null()}),
            "0 blocking\n1 blocking\n2 blocking\n");
}

// Ask 5 of the peers, where close_range(2) is forbidden. More of them than one
// call lists.
TEST_F(SpawnDescriptorsTest, GivesTheChildNoExtraDescriptorsWithoutCloseRange) {
  for (int error : {EPERM, ENOSYS}) {
    EXPECT_EQ(RunRefusing({{SYS_close_range, error}},
                          [] {
                            std::vector<OwnedFd> inheritable;
                            for (int i = 0; i < 300; ++i) {
                              inheritable.emplace_back(dup(0));
                            }
                            return OutputOf(
                                {.argv = {ChildProgram("print_fds")},
                                 .stdin_from = Stdio::Null(),
                                 .stderr_to = Stdio::Null(),
                                 .extra_fds = {{.child_number = 40, .fd = 0},
                                               {.child_number = 7, .fd = 0}}});
                          }),
              "0 blocking\n1 blocking\n2 blocking\n7 blocking\n40 blocking\n");
  }
}

TEST_F(SpawnDescriptorsTest, GivesExtraDescriptorsUnderTheirNumbers) {
  OwnedFd file = OpenToWrite(Path("extra"));
  auto shared = std::make_shared<OwnedFd>(OpenToWrite(Path("shared")));
  // One that would be inherited lies in the gap between the two.
  OwnedFd stray(fcntl(file.get(), F_DUPFD, 20));
  EXPECT_EQ(OutputOf({.argv = {ChildProgram("print_fds")},
                      .stdin_from = Stdio::Null(),
                      .stderr_to = Stdio::Null(),
                      .extra_fds = {{.child_number = 40, .shared_fd = shared},
                                    {.child_number = 7, .fd = file.get()}}}),
            "0 blocking\n1 blocking\n2 blocking\n7 blocking\n40 blocking\n");
}

// The highest number there is leaves no room above it for copies.
TEST_F(SpawnDescriptorsTest, GivesTheHighestNumberThereIs) {
  OwnedFd file = OpenToWrite(Path("extra"));
  rlimit before, low;
  getrlimit(RLIMIT_NOFILE, &before);
  low = {300, before.rlim_max};
  setrlimit(RLIMIT_NOFILE, &low);
  std::string out =
      OutputOf({.argv = {ChildProgram("print_fds")},
                .stdin_from = Stdio::Pipe(),
                .stderr_to = Stdio::Merged(),
                .extra_fds = {{299, file.get()}, {3, file.get()}}});
  setrlimit(RLIMIT_NOFILE, &before);
  EXPECT_EQ(out,
            "0 blocking\n1 blocking\n2 blocking\n3 blocking\n299 blocking\n");
}

TEST_F(SpawnDescriptorsTest, KeepsAnExtraDescriptorThatHasItsNumberAlready) {
  OwnedFd file = OpenToWrite(Path("extra"));  // close-on-exec in the parent
  std::string number = absl::StrCat(file.get());
  EXPECT_EQ(OutputOf({.argv = {ChildProgram("print_fds")},
                      .stdin_from = Stdio::Null(),
                      .stderr_to = Stdio::Null(),
                      .extra_fds = {{file.get(), file.get()}}}),
            absl::StrCat("0 blocking\n1 blocking\n2 blocking\n", number,
                         " blocking\n"));
}

TEST_F(SpawnDescriptorsTest, SwapsExtraDescriptors) {
  OwnedFd a = OpenToWrite(Path("a")), b = OpenToWrite(Path("b"));
  std::string script =
      absl::StrCat("echo a >&", a.get(), "; echo b >&", b.get());
  RanChild ran =
      RunToEnd({.argv = {"/bin/bash", "-c", script},
                .extra_fds = {{a.get(), b.get()}, {b.get(), a.get()}}});
  EXPECT_EQ(ran.status, ExitStatus::Exited(0)) << ran.spawned;
  EXPECT_EQ(Content(Path("a")), "b\n");
  EXPECT_EQ(Content(Path("b")), "a\n");
}

// The copies that make a swap safe need numbers, too, and the lowest free one
// is taken here.
TEST_F(SpawnDescriptorsTest,
       SwapsBesideADescriptorThatTakesTheFirstFreeNumber) {
  OwnedFd spare(fcntl(0, F_DUPFD_CLOEXEC, 3));
  OwnedFd a = OpenToWrite(Path("a")), b = OpenToWrite(Path("b"));
  OwnedFd other = OpenToWrite(Path("other"));
  int free = spare.get();
  spare.Close();
  std::string script =
      absl::StrCat("echo a >&", a.get(), "; echo b >&", b.get());
  RanChild ran = RunToEnd(
      {.argv = {"/bin/bash", "-c", script},
       .extra_fds = {
           {a.get(), b.get()}, {b.get(), a.get()}, {free, other.get()}}});
  EXPECT_EQ(ran.status, ExitStatus::Exited(0)) << ran.spawned;
  EXPECT_EQ(Content(Path("a")), "b\n");
  EXPECT_EQ(Content(Path("b")), "a\n");
}

// Row P6: a bad descriptor is EBADF.
TEST_F(SpawnDescriptorsTest, ReportsADescriptorThatIsNotOpen) {
  for (const Command& command :
       {Command{.argv = {"/bin/true"}, .stdin_from = Stdio::Descriptor(999)},
        Command{.argv = {"/bin/true"}, .extra_fds = {{5, 999}}}}) {
    EXPECT_EQ(Spawn(command).status().message(),
              "dup \"fd 999\": Bad file descriptor");
  }
}

}  // namespace
}  // namespace troupe
