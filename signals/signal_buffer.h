// Deliveries on their way from signal handlers to one owner, and the descriptor
// that wakes it.
//
//   auto buffer = SignalBuffer::Create();
//   (*buffer)->Push(delivery);      // async-signal-safe, any thread
//   // watch (*buffer)->fd(), edge-triggered; at each edge:
//   (*buffer)->Drain(deliveries);   // the owner: one thread at a time
//
// Deliveries come in order of arrival and none is lost; signal_queue.h has what
// happens when many wait. The descriptor is written once for all that is pushed
// until the next Drain.
#ifndef TROUPE_SIGNALS_SIGNAL_BUFFER_H_
#define TROUPE_SIGNALS_SIGNAL_BUFFER_H_

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "absl/status/statusor.h"
#include "io/owned_fd.h"
#include "signals/signal_delivery.h"
#include "signals/signal_queue.h"

namespace troupe {

class SignalBuffer {
 public:
  struct Options {
    // While fewer deliveries wait, every run has its own.
    std::size_t exact = 1024;
    // No more wait than this, at 40 bytes each.
    std::uint32_t limit = SignalQueue::kNoLimit;
  };

  static absl::StatusOr<std::unique_ptr<SignalBuffer>> Create(Options options);
  static absl::StatusOr<std::unique_ptr<SignalBuffer>> Create() {
    return Create(Options());
  }

  SignalBuffer(const SignalBuffer&) = delete;
  SignalBuffer& operator=(const SignalBuffer&) = delete;

  // An eventfd, borrowed. It has an edge when deliveries wait and after each
  // Drain that could have missed one; an edge with nothing to drain is
  // possible. Nobody reads it, so it stays readable after the first one: for
  // edge-triggered watching only.
  int fd() const { return fd_.get(); }

  // False, and not taken, when there is no room: `limit` wait, or the kernel
  // refused memory. The owner is woken in either case.
  bool Push(const SignalDelivery& delivery);

  // Appends all that waits to `out`.
  void Drain(std::vector<SignalDelivery>& out);

 private:
  SignalBuffer(Options options, OwnedFd fd);

  OwnedFd fd_;
  SignalQueue queue_;
  std::atomic<bool> woken_{false};  // fd() was written since the last Drain
};

}  // namespace troupe

#endif  // TROUPE_SIGNALS_SIGNAL_BUFFER_H_
