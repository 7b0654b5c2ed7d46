#include "tests/io/sockets/in_child.h"

#include <grp.h>
#include <sys/wait.h>
#include <unistd.h>

#include "gtest/gtest.h"
#include "io/owned_fd.h"
#include "tests/support/descriptors.h"

namespace troupe {

std::string InChild(const std::function<std::string()>& body) {
  Ends ends = MakePipe();
  const pid_t child = fork();
  if (child == 0) {
    WriteFully(ends.second, body());
    _exit(0);
  }
  ends.second.Close();
  const std::string text = ReadFully(ends.first, 1 << 16);
  int status = -1;
  EXPECT_EQ(waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
  return text;
}

void BecomeNobody() {
  constexpr int kNobody = 65534;
  if (geteuid() != 0) return;
  if (setgroups(0, nullptr) != 0 || setgid(kNobody) != 0 ||
      setuid(kNobody) != 0) {
    _exit(1);
  }
}

}  // namespace troupe
