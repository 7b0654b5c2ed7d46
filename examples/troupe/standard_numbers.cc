#include "examples/troupe/standard_numbers.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>

#include "io/os_error.h"

namespace troupe {

// In rising order: open(2) takes the lowest number that is free.
absl::Status TakeClosedStandardNumbers() {
  constexpr int kAccess[] = {O_WRONLY, O_RDONLY, O_WRONLY};
  for (int fd : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
    if (fcntl(fd, F_GETFD) >= 0) continue;
    if (open("/dev/null", kAccess[fd] | O_CLOEXEC) != fd) {
      return OsError(errno, "open", "/dev/null");
    }
  }
  return absl::OkStatus();
}

}  // namespace troupe
