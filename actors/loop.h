// The event loop: callbacks, timers, descriptors and signals on one thread in
// asyncio's order, beside the actors that live on that thread.
//
//   auto loop = Loop::Create(*system);
//   if (!loop.ok()) return loop.status();
//   (*loop)->CallSoon([] { std::puts("soon"); });
//   (*loop)->CallLater(absl::Milliseconds(10), [&] { (*loop)->Stop(); });
//   absl::Status ended = (*loop)->RunForever();
//
// It runs on the thread that calls RunForever, RunUntilComplete or RunOnce;
// LoopThread (loop_thread.h) has a thread of its own. Actors talk to actor()
// with the messages of loop_messages.h, from anywhere.
//
// One iteration (rows L3, L4): what is ready when it begins, in order; then
// descriptors, in the selector's order, the reader before the writer of one
// descriptor; then due timers, by time. What a callback schedules runs in the
// next iteration, after another look at the descriptors. Then the actors of the
// thread get their turn; between them and callbacks no order is promised.
//
// Threads: CallSoonThreadsafe, Stop, Time, IsRunning, IsClosed and
// CallHandle::Cancel are for any thread. All else is for the thread that runs
// the loop or, while none does, for one thread at a time; from another one what
// schedules, adds, removes or runs is refused (L21; asyncio notices in debug
// mode only), the rest is not checked.
//
// While it runs on a thread of yours, SIGPIPE is blocked there; nothing else of
// the thread is touched. The system must outlive the loop, and the loop the
// threads that use it; handles may outlive the loop.
#ifndef TROUPE_ACTORS_LOOP_H_
#define TROUPE_ACTORS_LOOP_H_

#include <atomic>
#include <cstdint>
#include <exception>
#include <memory>
#include <optional>
#include <string>
#include <tuple>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "actors/call_handle.h"
#include "actors/call_queue.h"
#include "actors/code_location.h"
#include "actors/exception_handler.h"
#include "actors/fd_callbacks.h"
#include "actors/loop_messages.h"
#include "actors/loop_metrics.h"
#include "actors/loop_signals.h"
#include "actors/request_outcome.h"
#include "actors/system.h"
#include "caf/send.hpp"
#include "io/clock.h"
#include "io/io_host.h"
#include "io/io_messages.h"

namespace troupe {

class Loop final : private CallQueue::Owner {
 public:
  struct Options {
    Clock* clock = nullptr;  // borrowed; null: the monotonic clock
    LogSink log = nullptr;   // empty: stderr
  };

  // Debug mode is on if TROUPE_DEBUG is set and not empty.
  static absl::StatusOr<std::unique_ptr<Loop>> Create(System& system,
                                                      Options options);
  static absl::StatusOr<std::unique_ptr<Loop>> Create(System& system) {
    return Create(system, Options());
  }

  // Closes it. It must not be running.
  ~Loop() override;
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;

  // The loop that runs on this thread, or null; null in a forked child.
  static Loop* Running();

  // -- Callbacks. A call that is refused gives a handle whose status says why:
  // kFailedPrecondition `Event loop is closed`, or the wrong thread.

  CallHandle CallSoon(Callback callback,
                      CodeLocation where = CodeLocation::Here());
  CallHandle CallSoonThreadsafe(Callback callback,
                                CodeLocation where = CodeLocation::Here());
  // Not before the time, as soon as possible after it. Timers of one time run
  // in the order they were armed; a delay below zero, before all of those.
  CallHandle CallLater(absl::Duration delay, Callback callback,
                       CodeLocation where = CodeLocation::Here());
  CallHandle CallAt(absl::Duration when, Callback callback,
                    CodeLocation where = CodeLocation::Here());
  // First after one period, then on that grid. A loop that comes late leaves
  // out what it missed.
  CallHandle CallEvery(absl::Duration period, Callback callback,
                       CodeLocation where = CodeLocation::Here());
  CallHandle CallEveryFrom(absl::Duration first, absl::Duration period,
                           Callback callback,
                           CodeLocation where = CodeLocation::Here());

  // A message instead of a callback: to any actor, also on another machine.
  template <class Handle, class... Ts>
  CallHandle SendLater(absl::Duration delay, const Handle& to, Ts&&... message);
  template <class Handle, class... Ts>
  CallHandle SendEvery(absl::Duration period, const Handle& to,
                       Ts&&... message);

  // -- Descriptors: level-triggered, and still the caller's. See
  // fd_callbacks.h, also for the handle's status. Remove them before they are
  // closed.

  CallHandle AddReader(int fd, Callback callback,
                       CodeLocation where = CodeLocation::Here());
  CallHandle AddWriter(int fd, Callback callback,
                       CodeLocation where = CodeLocation::Here());
  // Tells an actor: FdReady once, then once for each ArmWatch.
  absl::StatusOr<FdCallbacks::Registration> AddReader(int fd,
                                                      FdObserver observer);
  absl::StatusOr<FdCallbacks::Registration> AddWriter(int fd,
                                                      FdObserver observer);
  void ArmWatch(WatchId watch, Side side);
  bool RemoveReader(int fd);
  bool RemoveWriter(int fd);
  // For what uses a descriptor before it waits for it: OK, or why AddReader and
  // AddWriter would refuse it (FD2, FD3; the selector's own errors come later).
  absl::Status CheckDescriptor(int fd) { return fds_.Check(fd); }
  // Only if it is that registration still.
  bool RemoveRegistration(int fd, Side side, uint64_t token);

  // -- Signals; see loop_signals.h, also for the handle's status.

  CallHandle AddSignalHandler(int number, Callback callback,
                              CodeLocation where = CodeLocation::Here());
  bool RemoveSignalHandler(int number);

  // -- Running. Errors, all kFailedPrecondition: `Event loop is closed`, `This
  // event loop is already running`, `Cannot run the event loop while another
  // loop is running`.

  // Until Stop. May be run again.
  absl::Status RunForever();
  // Sends a request to an actor and runs until it is answered, with an `Answer`
  // or an error; kFailedPrecondition `Event loop stopped before Future
  // completed.` if Stop comes first.
  template <class Answer, class Handle, class Request>
  absl::StatusOr<Answer> RunUntilComplete(const Handle& actor,
                                          const Request& request);
  // One iteration. Sleeps for something to do only if it may.
  absl::Status RunOnce(bool may_sleep = false);
  // At the end of this iteration, or after exactly one if none runs.
  void Stop();
  // Drops what waits without running it, ends the actors of this thread, gives
  // signals back. kFailedPrecondition `Cannot close a running event loop`.
  absl::Status Close();

  // On the loop's clock, since some moment.
  absl::Duration Time() const { return absl::Nanoseconds(clock_.NowNs()); }
  bool IsRunning() const { return running_.load(); }
  bool IsClosed() const { return calls_.closed(); }
  // For another event loop: readable when RunOnce has something to do. -1 when
  // closed. A virtual clock makes nothing readable: it jumps where a loop
  // sleeps.
  int fd() const { return host_ == nullptr ? -1 : host_->fd(); }

  // -- Exceptions and debugging.

  // Empty: the default one, which writes to the log.
  void SetExceptionHandler(ExceptionHandler handler);
  const ExceptionHandler& GetExceptionHandler() const { return handler_; }
  void CallExceptionHandler(const ExceptionContext& context);
  void DefaultExceptionHandler(const ExceptionContext& context);
  // Debug mode writes callbacks that take long to the log, closing, what the
  // transports of this thread do, and which of them are open at the end.
  void SetDebug(bool on);
  bool GetDebug() const { return debug_; }
  void SetSlowCallbackDuration(absl::Duration slow);  // at first 100 ms
  absl::Duration GetSlowCallbackDuration() const { return slow_; }

  LoopMetrics Metrics();
  // `<Loop running=False closed=False debug=False>`
  std::string ToString() const;

  // -- For actors on this thread; not once it is closed.
  const LoopActor& actor() const { return actor_; }
  const IoActor& io() const { return io_; }
  IoHost& host() const { return *host_; }
  System& system() const { return system_; }

 private:
  class RunScope;

  Loop(System& system, Options options, std::shared_ptr<IoHost> host);

  // CallQueue::Owner.
  void Wake() override { host_->WakeIfAsleep(); }
  void OnException(const CallHandle& call,
                   std::exception_ptr exception) override;
  void OnSlow(const CallHandle& call, absl::Duration took) override;

  absl::StatusOr<FdCallbacks::Registration> AddObserver(int fd, Side side,
                                                        FdObserver observer);
  absl::Status CheckRunnable() const;
  void Log(const std::string& report);
  template <class Handle, class... Ts>
  static Callback Sender(const Handle& to, Ts&&... message);

  System& system_;
  Clock& clock_;
  LogSink log_;
  ExceptionHandler handler_;
  bool debug_ = false;
  absl::Duration slow_ = absl::Milliseconds(100);
  std::atomic<bool> running_{false};
  bool stopping_ = false;

  std::shared_ptr<IoHost> host_;  // null when closed
  CallQueue calls_;
  FdCallbacks fds_;
  LoopSignals signals_;
  IoActor io_;
  LoopActor actor_;
};

template <class Handle, class... Ts>
Callback Loop::Sender(const Handle& to, Ts&&... message) {
  return [to, parts = std::make_tuple(std::forward<Ts>(message)...)] {
    std::apply([&](const auto&... part) { caf::anon_send(to, part...); },
               parts);
  };
}

template <class Handle, class... Ts>
CallHandle Loop::SendLater(absl::Duration delay, const Handle& to,
                           Ts&&... message) {
  return CallLater(delay, Sender(to, std::forward<Ts>(message)...));
}

template <class Handle, class... Ts>
CallHandle Loop::SendEvery(absl::Duration period, const Handle& to,
                           Ts&&... message) {
  return CallEvery(period, Sender(to, std::forward<Ts>(message)...));
}

template <class Answer, class Handle, class Request>
absl::StatusOr<Answer> Loop::RunUntilComplete(const Handle& actor,
                                              const Request& request) {
  absl::Status refused = CheckRunnable();
  if (!refused.ok()) return refused;
  RequestOutcome<Answer> outcome;
  outcome.Ask(*host_, actor, request, [this] { Stop(); });
  absl::Status ran = RunForever();
  if (!ran.ok()) return ran;
  return outcome.Take();
}

}  // namespace troupe

#endif  // TROUPE_ACTORS_LOOP_H_
