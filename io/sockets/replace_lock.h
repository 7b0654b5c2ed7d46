// The right to replace the file at a path, had by one process at a time.
//
//   auto lock = ReplaceLock::Take("/run/app.sock");
//   if (!lock.ok()) ...              // no file can be made beside it
//   if (!lock->has_value()) ...      // another is at it right now
//
// It is a flock(2) on `/run/app.sock.replacing`, which is there only while it
// is held: the holder removes it, and who has locked a file that was removed
// meanwhile tries again. A process that is killed leaves the file without the
// lock; the next one takes it over. Nobody else can hold the lock and so keep
// others out: the file is its owner's alone (0600).
#ifndef TROUPE_IO_SOCKETS_REPLACE_LOCK_H_
#define TROUPE_IO_SOCKETS_REPLACE_LOCK_H_

#include <optional>
#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "io/owned_fd.h"

namespace troupe {

class ReplaceLock {
 public:
  // Never waits.
  static absl::StatusOr<std::optional<ReplaceLock>> Take(
      const std::string& path);

  ReplaceLock(ReplaceLock&&) = default;
  ReplaceLock& operator=(ReplaceLock&&) = delete;
  ~ReplaceLock();

 private:
  ReplaceLock(std::string lock_path, OwnedFd fd)
      : lock_path_(std::move(lock_path)), fd_(std::move(fd)) {}

  std::string lock_path_;
  OwnedFd fd_;
};

}  // namespace troupe

#endif  // TROUPE_IO_SOCKETS_REPLACE_LOCK_H_
