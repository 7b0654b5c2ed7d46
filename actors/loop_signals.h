// Signal handlers of one loop, as callbacks (asyncio's add_signal_handler, rows
// S1 to S16), behind the process's signal relay.
//
//   LoopSignals signals(system, calls, host);
//   absl::Status status = signals.Add(SIGUSR1, [] { ... }, where);
//
// A callback runs once for each run of the signal handler, with the whole loop
// at hand. Signal handlers write into a tap of the loop (signal_buffer.h); the
// iteration that hears of it appends the callbacks, and the next one runs them,
// as in asyncio (S13). No other thread is on the way.
//
// It is a lease at the relay beside those of others: several loops may handle
// one signal (S19). Add and Remove ask the relay, on another thread, and wait
// for the answer: when Add returns the signal is caught. The loop's thread, but
// not that of the relay, where an Add is refused.
//
// If the relay is killed, the loop's next iteration takes its leases at a new
// one. CloseSignalRelay ends them for good, as it says.
#ifndef TROUPE_ACTORS_LOOP_SIGNALS_H_
#define TROUPE_ACTORS_LOOP_SIGNALS_H_

#include <functional>
#include <map>
#include <memory>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "actors/call_handle.h"
#include "actors/call_queue.h"
#include "actors/code_location.h"
#include "actors/system.h"
#include "io/io_host.h"
#include "io/watch_id.h"
#include "signals/signal_buffer.h"
#include "signals/signal_delivery.h"
#include "signals/signal_messages.h"

namespace troupe {

class LoopSignals {
 public:
  // A handler is lost, because a new relay refused it.
  using OnLost = std::function<void(int number, const absl::Status& why)>;

  LoopSignals(System& system, CallQueue& calls, IoHost& host, OnLost on_lost)
      : system_(system),
        calls_(calls),
        host_(host),
        on_lost_(std::move(on_lost)) {}
  LoopSignals(const LoopSignals&) = delete;
  LoopSignals& operator=(const LoopSignals&) = delete;

  // A second Add of a number replaces the callback. Errors: those of
  // SubscribeToSignal (`invalid signal number 0`, `sig 9 cannot be caught`), of
  // System::Signals, and `Event loop is closed`.
  CallHandle Add(int number, Callback callback, CodeLocation where);

  // False if there was none. What is on its way is not called any more (S15),
  // but if the number is added again before the loop hears of it.
  bool Remove(int number);

  // All of them (S10).
  void Clear();

 private:
  class Sink;
  absl::Status Listen();
  absl::Status UseRelay();
  void OnRelayEnded();
  absl::Status Subscribe(int number);
  void Unsubscribe(int number);
  void Drain();
  void OnSignal(const SignalDelivery& delivery);

  System& system_;
  CallQueue& calls_;
  IoHost& host_;
  const OnLost on_lost_;
  SignalRelay relay_;
  // One for each relay, which it monitors: a lease ends with its observer.
  SignalObserver observer_;
  // From the first Add on.
  std::shared_ptr<SignalBuffer> tap_;
  WatchId watch_;  // of the tap
  CallRef drain_;
  std::vector<SignalDelivery> deliveries_;
  std::map<int, CallRef> handlers_;
};

}  // namespace troupe

#endif  // TROUPE_ACTORS_LOOP_SIGNALS_H_
