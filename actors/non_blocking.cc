#include "actors/non_blocking.h"

#include <fcntl.h>

#include <cerrno>

#include "io/os_error.h"

namespace troupe {

absl::Status CheckNonBlocking(int fd) {
  const int flags = fcntl(fd, F_GETFL);
  if (flags < 0) return OsError(errno, "fcntl");
  if (flags & O_NONBLOCK) return absl::OkStatus();
  return absl::InvalidArgumentError("the socket must be non-blocking");
}

}  // namespace troupe
