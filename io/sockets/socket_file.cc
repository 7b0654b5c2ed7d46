#include "io/sockets/socket_file.h"

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <system_error>

#include "io/os_error.h"

namespace troupe {

absl::StatusOr<SocketFile> SocketFile::At(const std::string& path) {
  struct stat status;
  if (lstat(path.c_str(), &status) != 0) return OsError(errno, "stat", path);
  if (!S_ISSOCK(status.st_mode)) return OsError(ENOTSOCK, "stat", path);
  std::error_code no_folder;
  const auto absolute = std::filesystem::absolute(path, no_folder);
  SocketFile file;
  file.path_ = no_folder ? path : absolute.string();
  file.identity_ = {status.st_dev, status.st_ino};
  file.owner_ = getpid();
  return file;
}

SocketFile& SocketFile::operator=(SocketFile&& other) noexcept {
  if (this != &other) {
    Remove().IgnoreError();
    path_ = std::exchange(other.path_, std::string());
    identity_ = other.identity_;
    owner_ = other.owner_;
  }
  return *this;
}

absl::Status SocketFile::Remove() {
  const std::string path = std::exchange(path_, std::string());
  if (path.empty() || owner_ != getpid()) return absl::OkStatus();
  if (IdentityAt(path) != identity_) return absl::OkStatus();
  if (unlink(path.c_str()) != 0 && errno != ENOENT) {
    return OsError(errno, "unlink", path);
  }
  return absl::OkStatus();
}

}  // namespace troupe
