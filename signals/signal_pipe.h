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
// SetRoute sends a number's deliveries elsewhere: into taps, the buffers of
// other threads, so that a signal gets there with no thread in between.
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
// Catch, Release: from any thread. SetRoute, Drain and the destructor: the
// owner's.
#ifndef TROUPE_SIGNALS_SIGNAL_PIPE_H_
#define TROUPE_SIGNALS_SIGNAL_PIPE_H_

#include <signal.h>

#include <array>
#include <atomic>
#include <memory>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "signals/signal_buffer.h"
#include "signals/signal_delivery.h"
#include "signals/signal_taker.h"

namespace troupe {

class SignalPipe {
 public:
  // A handler that finds `limit` deliveries waiting stays on its thread until
  // the owner drains: set one only if the owner's thread blocks the signals, or
  // it waits for itself.
  using Options = SignalBuffer::Options;

  // kFailedPrecondition while another lives in this process.
  static absl::StatusOr<std::unique_ptr<SignalPipe>> Create(Options options);
  static absl::StatusOr<std::unique_ptr<SignalPipe>> Create() {
    return Create(Options());
  }

  // Every disposition is restored, as by Release; handlers that run meanwhile
  // have returned. What was not drained is gone.
  ~SignalPipe();

  // As SignalBuffer's.
  int fd() const { return own_->fd(); }

  // Errors: InstallHandler and RestoreDisposition in disposition.h. A delivery
  // can arrive until shortly after Release: a run on another thread had begun.
  absl::Status Catch(int number);
  absl::Status Release(int number);

  using Taps = std::vector<std::shared_ptr<SignalBuffer>>;

  // Where deliveries of a valid number go from now on: to the owner, as at
  // first, or to taps, or to both. Handlers that run meanwhile on other threads
  // may use the route before; its taps are let go once none is seen running, by
  // this or a later SetRoute. It does not wait for them: one of them may wait
  // for the owner to drain. They wait for room in taps, too: a tap whose owner
  // takes signals on its own thread must have no limit.
  void SetRoute(int number, bool to_owner, Taps taps);

  // Appends all that waits for the owner to `out`.
  void Drain(std::vector<SignalDelivery>& out) { own_->Drain(out); }

 private:
  // Written before a handler can see it, and never after.
  struct Route {
    int number;
    bool to_owner;
    Taps taps;
  };

  SignalPipe(std::unique_ptr<SignalBuffer> own,
             std::unique_ptr<SignalTaker> taker);

  static void OnSignal(int number, siginfo_t* info, void* context);
  // False when the pipe is being destroyed: the delivery is not taken.
  bool Deliver(const SignalDelivery& delivery);
  bool Put(const SignalDelivery& delivery, SignalBuffer& buffer);

  const std::unique_ptr<SignalBuffer> own_;
  // What handlers read; null: to the owner only.
  std::array<std::atomic<const Route*>, NSIG> routes_{};
  // What they may still read: the routes above, and older ones.
  std::vector<std::unique_ptr<const Route>> kept_;
  const std::unique_ptr<SignalTaker> taker_;  // null without BlockSignals()
};

}  // namespace troupe

#endif  // TROUPE_SIGNALS_SIGNAL_PIPE_H_
