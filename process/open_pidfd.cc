#include "process/open_pidfd.h"

#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>

#include "absl/strings/str_cat.h"
#include "io/os_error.h"

namespace troupe {

absl::StatusOr<OwnedFd> OpenPidfd(pid_t pid) {
  OwnedFd pidfd(static_cast<int>(syscall(SYS_pidfd_open, pid, 0)));
  if (!pidfd.valid()) return OsError(errno, "pidfd_open", absl::StrCat(pid));
  return pidfd;
}

}  // namespace troupe
