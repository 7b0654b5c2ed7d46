// The process's signals as records behind a descriptor: handlers on any thread
// write them, one owner drains them.
//
//   auto pipe = SignalPipe::Create();
//   status = (*pipe)->Catch(SIGTERM);
//   // watch (*pipe)->fd() for reading; each time it is readable:
//   (*pipe)->Drain(deliveries);
//
// Every run of the handler is in exactly one delivery's count, however far the
// owner falls behind (asyncio loses signals, row S12); a real-time signal is
// one delivery each, with its value. Deliveries come in order of arrival
// (S11); signal_queue.h has what happens when many wait. What the kernel
// coalesces before the handler runs nobody can count. The last send is seen: a
// handler runs after it.
//
// One at a time in a process (S19), because the kernel has one table of
// dispositions; while it lives, a second is refused. A forked child does not
// write into its parent's pipe (S22): there a caught signal does what it did
// before Catch, and the child may create a pipe of its own.
//
// After BlockSignals() a pipe has a thread that takes them, and each number's
// arrive in the order in which they were sent (block_signals.h has the rest).
// Otherwise handlers run on whatever threads the kernel picks, and two can swap
// real-time signals. No thread's mask is touched in either case.
//
// A synchronous fault is not a delivery: SIGSEGV, SIGBUS, SIGFPE or SIGILL by
// the thread's own instruction happens again under the previous disposition.
// The same signals sent by kill(2) are deliveries.
//
// Catch, Release: from any thread. Drain and the destructor: the owner's.
#ifndef TROUPE_SIGNALS_SIGNAL_PIPE_H_
#define TROUPE_SIGNALS_SIGNAL_PIPE_H_

#include <signal.h>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "io/owned_fd.h"
#include "signals/signal_delivery.h"
#include "signals/signal_queue.h"
#include "signals/signal_taker.h"

namespace troupe {

class SignalPipe {
 public:
  struct Options {
    // While fewer deliveries wait, every run has its own.
    std::size_t exact = 1024;
    // No more wait than this, at 40 bytes each. A handler that finds them all
    // in use stays on its thread until the owner drains: set one only if the
    // owner's thread blocks the signals, or it waits for itself.
    std::uint32_t limit = SignalQueue::kNoLimit;
  };

  // kFailedPrecondition while another lives in this process.
  static absl::StatusOr<std::unique_ptr<SignalPipe>> Create(Options options);
  static absl::StatusOr<std::unique_ptr<SignalPipe>> Create() {
    return Create(Options());
  }

  // Every disposition is restored, as by Release; handlers that run meanwhile
  // have returned. What was not drained is gone.
  ~SignalPipe();

  // An eventfd, borrowed. Each time it becomes readable deliveries wait, and it
  // becomes readable again after each Drain that could have missed one: right
  // for edge-triggered watching. Readable with nothing to drain is possible.
  int fd() const { return fd_.get(); }

  // Errors: InstallHandler and RestoreDisposition in disposition.h. A delivery
  // can arrive until shortly after Release: a run on another thread had begun.
  absl::Status Catch(int number);
  absl::Status Release(int number);

  // Appends all that waits to `out`.
  void Drain(std::vector<SignalDelivery>& out);

 private:
  SignalPipe(Options options, OwnedFd fd, std::unique_ptr<SignalTaker> taker);

  static void OnSignal(int number, siginfo_t* info, void* context);
  // False when the pipe is being destroyed: the delivery is not taken.
  bool Deliver(const SignalDelivery& delivery);
  void WakeOwner();

  OwnedFd fd_;
  SignalQueue queue_;
  std::atomic<bool> woken_{false};  // fd() was written and not yet drained
  const std::unique_ptr<SignalTaker> taker_;  // null without BlockSignals()
};

}  // namespace troupe

#endif  // TROUPE_SIGNALS_SIGNAL_PIPE_H_
