#include "process/stdio_ends.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "absl/strings/str_cat.h"
#include "io/os_error.h"

namespace troupe {
namespace {

int OpenFlags(Stdio::FileMode mode) {
  switch (mode) {
    case Stdio::FileMode::kRead:
      return O_RDONLY;
    case Stdio::FileMode::kTruncate:
      return O_WRONLY | O_CREAT | O_TRUNC;
    case Stdio::FileMode::kAppend:
      return O_WRONLY | O_CREAT | O_APPEND;
  }
  return O_RDONLY;
}

absl::Status SetNonBlocking(int fd, bool on) {
  int flags = fcntl(fd, F_GETFL);
  if (flags < 0) return OsError(errno, "fcntl");
  flags = on ? flags | O_NONBLOCK : flags & ~O_NONBLOCK;
  if (fcntl(fd, F_SETFL, flags) != 0) return OsError(errno, "fcntl");
  return absl::OkStatus();
}

absl::StatusOr<StdioEnds> OpenPath(const std::string& path, int flags,
                                   mode_t permissions) {
  int fd = -1;
  do {
    fd = open(path.c_str(), flags | O_NONBLOCK | O_NOCTTY | O_CLOEXEC,
              permissions);
  } while (fd < 0 && errno == EINTR);
  if (fd < 0) return OsError(errno, "open", path);
  auto moved = MovedAboveStdio(OwnedFd(fd));
  if (!moved.ok()) return moved.status();
  absl::Status status = SetNonBlocking(moved->get(), false);
  if (!status.ok()) return status;
  StdioEnds ends;
  ends.source = moved->get();
  ends.opened = *std::move(moved);
  return ends;
}

// fds[0] for the child, fds[1] for us; taken in any case.
absl::StatusOr<StdioEnds> Split(const int (&fds)[2]) {
  OwnedFd ends[2] = {OwnedFd(fds[0]), OwnedFd(fds[1])};
  for (OwnedFd& end : ends) {
    auto moved = MovedAboveStdio(std::move(end));
    if (!moved.ok()) return moved.status();
    end = *std::move(moved);
  }
  StdioEnds result;
  result.source = ends[0].get();
  result.opened = std::move(ends[0]);
  result.parent = std::move(ends[1]);
  // The two ends have flags of their own: the child's stays blocking.
  absl::Status status = SetNonBlocking(result.parent.get(), true);
  if (!status.ok()) return status;
  return result;
}

absl::StatusOr<StdioEnds> MakePipe(int number) {
  int fds[2];
  if (pipe2(fds, O_CLOEXEC) != 0) return OsError(errno, "pipe2");
  if (number != 0) std::swap(fds[0], fds[1]);
  return Split(fds);
}

absl::StatusOr<StdioEnds> MakeSocketPair() {
  int fds[2];
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) != 0) {
    return OsError(errno, "socketpair");
  }
  return Split(fds);
}

}  // namespace

absl::StatusOr<OwnedFd> MovedAboveStdio(OwnedFd fd) {
  if (fd.get() > 2) return fd;
  OwnedFd moved(fcntl(fd.get(), F_DUPFD_CLOEXEC, 3));
  if (!moved.valid()) return OsError(errno, "fcntl");
  return moved;
}

absl::StatusOr<StdioEnds> OpenStdio(const Stdio& stdio, int number) {
  StdioEnds ends;
  switch (stdio.kind) {
    case Stdio::Kind::kInherit:
      if (fcntl(number, F_GETFD) >= 0) ends.source = number;
      return ends;
    case Stdio::Kind::kNull:
      return OpenPath("/dev/null", O_RDWR, 0);
    case Stdio::Kind::kPipe:
      return MakePipe(number);
    case Stdio::Kind::kSocketPair:
      return MakeSocketPair();
    case Stdio::Kind::kFile:
      return OpenPath(stdio.path, OpenFlags(stdio.file_mode),
                      stdio.permissions);
    case Stdio::Kind::kDescriptor:
      ends.source = stdio.descriptor();
      if (fcntl(ends.source, F_GETFD) < 0) {
        return OsError(errno, "dup", absl::StrCat("fd ", ends.source));
      }
      return ends;
    case Stdio::Kind::kPty:
    case Stdio::Kind::kMerged:
      break;
  }
  return absl::InvalidArgumentError("not a stream of its own");
}

}  // namespace troupe
