// Readers and writers of one loop: a callback, or an actor, for each side of a
// descriptor that somebody else owns (rows FD1 to FD7).
//
//   FdCallbacks callbacks(host.watches(), calls);
//   CallHandle handle = callbacks.Add(fd, Side::kRead, [&] { ... }, where);
//   callbacks.Remove(fd, Side::kRead);
//
// Level-triggered: a callback runs once in each iteration as long as its side
// is ready; a hang-up or an error makes both sides ready. A second Add replaces
// the first, whose handle is cancelled. A handle that was cancelled takes its
// registration along at the next event. The selector no longer watches a side
// when Remove returns. All end with the watches of the host, which tell those
// that are actors.
//
// The loop's thread.
#ifndef TROUPE_ACTORS_FD_CALLBACKS_H_
#define TROUPE_ACTORS_FD_CALLBACKS_H_

#include <cstdint>
#include <memory>
#include <unordered_map>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "actors/call_handle.h"
#include "actors/call_queue.h"
#include "actors/code_location.h"
#include "io/readiness.h"
#include "io/watch_table.h"

namespace troupe {

class FdCallbacks {
 public:
  FdCallbacks(WatchTable& watches, CallQueue& calls)
      : watches_(watches), calls_(calls) {}
  FdCallbacks(const FdCallbacks&) = delete;
  FdCallbacks& operator=(const FdCallbacks&) = delete;

  // Whether Add would take the descriptor, as far as this side knows: all but
  // the selector's own errors.
  absl::Status Check(int fd);

  // The handle's status, FD2 and FD3:
  //   kInvalidArgument     `Invalid file descriptor: -1`
  //   EBADF, EPERM (a regular file or directory), as OsFailure
  //   kFailedPrecondition  `File descriptor 7 is used by transport <...>`
  CallHandle Add(int fd, Side side, Callback callback, CodeLocation where);

  // The same with an observer that arms the watch itself each time.
  struct Registration {
    WatchId watch;
    uint64_t token = 0;  // never reused
  };
  absl::StatusOr<Registration> AddSink(int fd, Side side,
                                       std::unique_ptr<ReadinessSink> sink);

  // False if there was none, or another one than `only`.
  bool Remove(int fd, Side side, uint64_t only = 0);

  size_t size() const { return entries_.size(); }

 private:
  class Sink;
  struct Entry {
    WatchId watch;
    uint64_t tokens[2] = {0, 0};  // 0: nobody on that side
  };
  absl::StatusOr<WatchId> Watch(int fd);
  absl::Status UsedBy(int fd, WatchId holder) const;
  void Forget(int fd) { entries_.erase(fd); }

  WatchTable& watches_;
  CallQueue& calls_;
  std::unordered_map<int, Entry> entries_;
  uint64_t last_token_ = 0;
};

}  // namespace troupe

#endif  // TROUPE_ACTORS_FD_CALLBACKS_H_
