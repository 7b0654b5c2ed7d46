#include "io/sockets/replace_lock.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "absl/strings/str_cat.h"
#include "io/os_error.h"
#include "io/sockets/file_identity.h"

namespace troupe {
namespace {

constexpr int kRounds = 100;

bool IsRegularFile(int fd) {
  struct stat file;
  return fstat(fd, &file) == 0 && S_ISREG(file.st_mode);
}

}  // namespace

absl::StatusOr<std::optional<ReplaceLock>> ReplaceLock::Take(
    const std::string& path) {
  const std::string lock_path = absl::StrCat(path, ".replacing");
  for (int round = 0; round < kRounds; ++round) {
    OwnedFd fd(open(lock_path.c_str(),
                    O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC,
                    0600));
    if (!fd.valid()) return OsError(errno, "open", lock_path);
    if (!IsRegularFile(fd.get())) return OsError(EEXIST, "lock", lock_path);
    if (flock(fd.get(), LOCK_EX | LOCK_NB) != 0) {
      if (errno == EWOULDBLOCK) return std::nullopt;
      return OsError(errno, "lock", lock_path);
    }
    // Its last holder may have removed it between our open and our lock.
    if (IdentityAt(lock_path) == IdentityOf(fd.get())) {
      return ReplaceLock(lock_path, std::move(fd));
    }
  }
  return std::nullopt;  // it goes from hand to hand
}

ReplaceLock::~ReplaceLock() {
  // While the lock is held: what has this name then is ours.
  if (fd_.valid()) unlink(lock_path_.c_str());
}

}  // namespace troupe
