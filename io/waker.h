// Wakes a thread that sleeps in a selector, from any other thread.
//
// An eventfd cannot fill up in practice (2^64 - 2 wake-ups unread), so no
// wake-up is lost and many count as one.
#ifndef TROUPE_IO_WAKER_H_
#define TROUPE_IO_WAKER_H_

#include "absl/status/statusor.h"
#include "io/owned_fd.h"

namespace troupe {

class Waker {
 public:
  static absl::StatusOr<Waker> Create();

  // Any thread, also inside a signal handler.
  void Wake() const;

  // The sleeper's thread: forget the wake-ups so far.
  void Clear() const;

  int fd() const { return fd_.get(); }

 private:
  explicit Waker(OwnedFd fd) : fd_(std::move(fd)) {}
  OwnedFd fd_;
};

}  // namespace troupe

#endif  // TROUPE_IO_WAKER_H_
