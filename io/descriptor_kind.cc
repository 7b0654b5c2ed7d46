#include "io/descriptor_kind.h"

#include <sys/socket.h>
#include <sys/stat.h>

#include <cerrno>

#include "absl/strings/str_cat.h"
#include "io/os_error.h"

namespace troupe {
namespace {

DescriptorKind SocketKind(int fd) {
  int type = 0;
  socklen_t size = sizeof type;
  getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size);
  return type == SOCK_STREAM ? DescriptorKind::kStreamSocket
                             : DescriptorKind::kMessageSocket;
}

}  // namespace

absl::StatusOr<DescriptorKind> KindOf(int fd) {
  if (fd < 0) {
    return absl::InvalidArgumentError(
        absl::StrCat("Invalid file descriptor: ", fd));
  }
  struct stat info;
  if (fstat(fd, &info) < 0) {
    return OsError(errno, "fstat", absl::StrCat("fd ", fd));
  }
  switch (info.st_mode & S_IFMT) {
    case S_IFIFO:
      return DescriptorKind::kFifo;
    case S_IFSOCK:
      return SocketKind(fd);
    case S_IFCHR:
      return DescriptorKind::kCharacterDevice;
    case S_IFREG:
      return DescriptorKind::kRegularFile;
    default:
      return DescriptorKind::kOther;
  }
}

bool IsPipeLike(DescriptorKind kind) {
  return kind != DescriptorKind::kRegularFile && kind != DescriptorKind::kOther;
}

bool ShortReadMeansDrained(DescriptorKind kind) {
  return kind == DescriptorKind::kFifo || kind == DescriptorKind::kStreamSocket;
}

}  // namespace troupe
