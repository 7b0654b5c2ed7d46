#include "io/standard_streams.h"

#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "absl/strings/str_cat.h"
#include "io/descriptor_kind.h"
#include "io/os_error.h"

namespace troupe {
namespace {

// Opened anew, the wrong end of a pipe would be the right one.
absl::Status CheckAccess(int fd, int access) {
  int flags = fcntl(fd, F_GETFL);
  if (flags < 0) return OsError(errno, "fcntl", absl::StrCat("fd ", fd));
  int has = flags & O_ACCMODE;
  if ((flags & O_PATH) == 0 && (has == O_RDWR || has == access)) {
    return absl::OkStatus();
  }
  return OsError(EBADF, access == O_RDONLY ? "read" : "write",
                 absl::StrCat("fd ", fd));
}

// Every open of /dev/ptmx makes another terminal, and other devices may have a
// state per open, too: only FIFOs and terminals are the same thing again.
bool MayReopen(int fd, DescriptorKind kind) {
  if (kind == DescriptorKind::kFifo) return true;
  unsigned int number;
  return isatty(fd) && ioctl(fd, TIOCGPTN, &number) < 0;
}

// Invalid if it is refused: permissions, no /proc, a FIFO without reader.
OwnedFd Reopen(int fd, int access) {
  return OwnedFd(open(absl::StrCat("/proc/self/fd/", fd).c_str(),
                      access | O_NONBLOCK | O_NOCTTY | O_CLOEXEC));
}

}  // namespace

absl::StatusOr<InheritedStream> InheritedStream::OpenInput(
    caf::actor_system& system, IoThread& shared, int fd) {
  return Open(system, shared, fd, O_RDONLY);
}

absl::StatusOr<InheritedStream> InheritedStream::OpenOutput(
    caf::actor_system& system, IoThread& shared, int fd) {
  return Open(system, shared, fd, O_WRONLY);
}

absl::StatusOr<InheritedStream> InheritedStream::Open(caf::actor_system& system,
                                                      IoThread& shared, int fd,
                                                      int access) {
  absl::Status allowed = CheckAccess(fd, access);
  if (!allowed.ok()) return allowed;
  auto kind = KindOf(fd);
  if (!kind.ok()) return kind.status();
  if (MayReopen(fd, *kind)) {
    OwnedFd again = Reopen(fd, access);
    if (again.valid()) return InheritedStream(std::move(again), shared, {});
  }
  OwnedFd copy(fcntl(fd, F_DUPFD_CLOEXEC, 3));
  if (!copy.valid()) return OsError(errno, "dup", absl::StrCat("fd ", fd));
  if (*kind == DescriptorKind::kStreamSocket ||
      *kind == DescriptorKind::kMessageSocket) {
    return InheritedStream(std::move(copy), shared, {});
  }
  IoThread::Options options;
  options.selector = SelectorKind::kPoll;
  options.name = absl::StrCat("troupe.fd", fd);
  options.debug = shared.host().debug_sink();
  auto own = IoThread::Start(system, std::move(options));
  if (!own.ok()) return own.status();
  return InheritedStream(std::move(copy), shared, *std::move(own));
}

}  // namespace troupe
