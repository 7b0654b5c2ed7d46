#include "signals/signal_buffer.h"

#include <sys/eventfd.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "io/os_error.h"

namespace troupe {

absl::StatusOr<std::unique_ptr<SignalBuffer>> SignalBuffer::Create(
    Options options) {
  OwnedFd fd(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!fd.valid()) return OsError(errno, "eventfd");
  return std::unique_ptr<SignalBuffer>(
      new SignalBuffer(options, std::move(fd)));
}

SignalBuffer::SignalBuffer(Options options, OwnedFd fd)
    : fd_(std::move(fd)), queue_(options.exact, options.limit) {}

bool SignalBuffer::Push(const SignalDelivery& delivery) {
  const bool pushed = queue_.Push(delivery);
  if (woken_.exchange(true)) return pushed;
  const std::uint64_t one = 1;
  // Cannot fail: the counter is far from full, and no signal interrupts.
  [[maybe_unused]] ssize_t written = write(fd_.get(), &one, sizeof one);
  return pushed;
}

// The flag goes down before the records are taken: a handler that comes later
// finds it down and writes again.
void SignalBuffer::Drain(std::vector<SignalDelivery>& out) {
  woken_.store(false);
  queue_.Take(out);
}

}  // namespace troupe
