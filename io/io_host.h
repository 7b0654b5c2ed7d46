// The host whose thread sleeps in a selector: descriptors, timers, blocks and
// residents of one I/O actor.
//
// One iteration:
//   1. sleep in the selector, or only look if there is work
//   2. each event to its watch: FdReady, directly to a resident
//   3. what was remembered for watches armed since
//   4. due timers, then the turn (turn.h), if there is one: an event loop's
//   5. up to kRounds rounds of actors that are ready, so that two actors in
//      ping-pong cannot keep 1 from coming
//
// A thread of its own calls Run. A loop on somebody's thread calls RunOnce
// again and again; in between the host counts as asleep, and fd() becomes
// readable when there is something to do, for another event loop to poll.
//
// Residents use watches(), timers, blocks() and warm() by direct call on their
// own thread; everyone else asks the I/O actor with messages.
#ifndef TROUPE_IO_IO_HOST_H_
#define TROUPE_IO_IO_HOST_H_

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "io/block_pool.h"
#include "io/clock.h"
#include "io/resident.h"
#include "io/selector.h"
#include "io/timer_id.h"
#include "io/timer_queue.h"
#include "io/turn.h"
#include "io/waker.h"
#include "io/warm_ring.h"
#include "io/watch_table.h"

namespace troupe {

// Takes what the transports of a host have to say in debug mode, a line without
// a newline at its end, on the host's thread. Must not throw.
using DebugSink = std::function<void(absl::string_view line)>;

class IoHost final : public Host {
 public:
  static absl::StatusOr<std::shared_ptr<IoHost>> Create(
      caf::actor_system& system, SelectorKind kind,
      Clock& clock = SystemClock::Get());

  // Runs iterations on the calling thread until RequestStop, then ends all
  // residents and watches.
  void Run();

  // Any thread.
  void RequestStop();

  // The same in parts, for whoever has a thread already. RunOnce is one
  // iteration, between Enter and Leave, on their thread; it sleeps for an event
  // if it may and there is nothing to do. Shutdown is for the end, outside.
  void Enter();
  void RunOnce(bool may_sleep);
  void Leave();
  void Shutdown();

  // Readable, outside of Enter and Leave, when RunOnce has something to do. -1
  // for kPoll.
  int fd() const { return selector_->fd(); }

  // Before the first iteration, and null before `turn` ends.
  void SetTurn(Turn* turn) { turn_ = turn; }
  Clock& clock() const { return clock_; }

  // Empty, as at first: no such line is even made. The host's thread, or before
  // it runs.
  void SetDebugSink(DebugSink sink) { debug_sink_ = std::move(sink); }
  const DebugSink& debug_sink() const { return debug_sink_; }

  // Whether descriptors here may block (SelectorKind::kPoll).
  bool blocking() const { return kind_ == SelectorKind::kPoll; }

  // The host's thread only.
  WatchTable& watches() { return watches_; }
  BlockPool& blocks() { return blocks_; }
  WarmRing& warm() { return warm_; }
  void StartTimer(TimerId id, absl::Duration after,
                  caf::weak_actor_ptr observer);
  void CancelTimer(TimerId id) { timers_.Cancel(id); }

  IoHost(caf::actor_system& system, SelectorKind kind, Clock& clock,
         std::unique_ptr<Selector> selector, Waker waker, OwnedFd timer_fd);

 private:
  void Wake() override { waker_.Wake(); }
  absl::Status RegisterOwnDescriptors();
  bool BeginNap();
  absl::Span<const Selector::Event> WaitForEvents(bool may_sleep);
  bool TimerIsDue() const;
  int64_t NextDeadline() const;
  void PrepareTimer();
  void HandleEvents(absl::Span<const Selector::Event> events);
  void FireTimers();
  void EndEverything();

  const SelectorKind kind_;
  Clock& clock_;
  Turn* turn_ = nullptr;
  DebugSink debug_sink_;
  bool straight_on_ = false;  // see turn.h
  std::unique_ptr<Selector> selector_;
  Waker waker_;
  OwnedFd timer_fd_;
  int64_t timer_fd_deadline_ = 0;  // 0: not set
  TimerQueue<caf::weak_actor_ptr> timers_;
  BlockPool blocks_;
  WarmRing warm_;
  WatchTable watches_;
  std::atomic<bool> stop_{false};
};

}  // namespace troupe

#endif  // TROUPE_IO_IO_HOST_H_
