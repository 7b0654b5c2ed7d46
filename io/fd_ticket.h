// A descriptor on its way to its next owner, in a message.
//
//   send(io, WatchFd{FdTicket(std::move(fd)), ...});
//   ...
//   OwnedFd fd = ticket.Take();       // the first taker gets it
//
// Messages must be copyable, a descriptor must not be: all copies of a ticket
// share one descriptor. The first Take() gets it, later ones get an invalid
// one; if nobody takes it, it is closed with the last copy. Any thread.
#ifndef TROUPE_IO_FD_TICKET_H_
#define TROUPE_IO_FD_TICKET_H_

#include <memory>
#include <mutex>
#include <utility>

#include "io/owned_fd.h"

namespace troupe {

class FdTicket {
 public:
  FdTicket() = default;
  explicit FdTicket(OwnedFd fd) : shared_(std::make_shared<Shared>()) {
    shared_->fd = std::move(fd);
  }

  OwnedFd Take() const {
    if (shared_ == nullptr) return OwnedFd();
    std::lock_guard<std::mutex> lock(shared_->mutex);
    return std::move(shared_->fd);
  }

  // Puts back what Take() gave, when it could not be used after all.
  void Return(OwnedFd fd) const {
    if (shared_ == nullptr) return;
    std::lock_guard<std::mutex> lock(shared_->mutex);
    shared_->fd = std::move(fd);
  }

  // The number, for messages to people; -1 when taken or empty.
  int number() const {
    if (shared_ == nullptr) return -1;
    std::lock_guard<std::mutex> lock(shared_->mutex);
    return shared_->fd.get();
  }

 private:
  struct Shared {
    std::mutex mutex;
    OwnedFd fd;
  };
  std::shared_ptr<Shared> shared_;
};

}  // namespace troupe

#endif  // TROUPE_IO_FD_TICKET_H_
