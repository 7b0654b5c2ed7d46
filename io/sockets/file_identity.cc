#include "io/sockets/file_identity.h"

#include <sys/stat.h>

namespace troupe {

std::optional<FileIdentity> IdentityOf(int fd) {
  struct stat file;
  if (fstat(fd, &file) != 0) return std::nullopt;
  return FileIdentity{file.st_dev, file.st_ino};
}

std::optional<FileIdentity> IdentityAt(const std::string& path) {
  struct stat file;
  if (lstat(path.c_str(), &file) != 0) return std::nullopt;
  return FileIdentity{file.st_dev, file.st_ino};
}

}  // namespace troupe
