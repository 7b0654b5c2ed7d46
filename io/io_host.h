// The host whose thread sleeps in a selector: descriptors, timers, blocks and
// residents of one I/O actor.
//
// One iteration:
//   1. sleep in the selector, or only look if there is work
//   2. each event to its watch: FdReady, directly to a resident
//   3. what was remembered for watches armed since
//   4. due timers
//   5. up to kRounds rounds of actors that are ready, so that two actors in
//      ping-pong cannot keep 1 from coming
//
// Residents use watches(), timers and blocks() by direct call on their own
// thread; everyone else asks the I/O actor with messages.
#ifndef TROUPE_IO_IO_HOST_H_
#define TROUPE_IO_IO_HOST_H_

#include <atomic>
#include <cstdint>
#include <memory>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "io/block_pool.h"
#include "io/resident.h"
#include "io/selector.h"
#include "io/timer_id.h"
#include "io/timer_queue.h"
#include "io/waker.h"
#include "io/watch_table.h"

namespace troupe {

class IoHost final : public Host {
 public:
  static absl::StatusOr<std::shared_ptr<IoHost>> Create(
      caf::actor_system& system, SelectorKind kind);

  // Runs iterations on the calling thread until RequestStop, then ends all
  // residents and watches.
  void Run();

  // Any thread.
  void RequestStop();

  // Whether descriptors here may block (SelectorKind::kPoll).
  bool blocking() const { return kind_ == SelectorKind::kPoll; }

  // The host's thread only.
  WatchTable& watches() { return watches_; }
  BlockPool& blocks() { return blocks_; }
  void StartTimer(TimerId id, absl::Duration after,
                  caf::weak_actor_ptr observer);
  void CancelTimer(TimerId id) { timers_.Cancel(id); }

  IoHost(caf::actor_system& system, SelectorKind kind,
         std::unique_ptr<Selector> selector, Waker waker, OwnedFd timer_fd);

 private:
  void Wake() override { waker_.Wake(); }
  absl::Status RegisterOwnDescriptors();
  void Iterate();
  void PrepareTimer();
  void FireTimers();
  void EndEverything();

  const SelectorKind kind_;
  std::unique_ptr<Selector> selector_;
  Waker waker_;
  OwnedFd timer_fd_;
  int64_t timer_fd_deadline_ = 0;  // 0: not set
  TimerQueue<caf::weak_actor_ptr> timers_;
  BlockPool blocks_;
  WatchTable watches_;
  std::atomic<bool> stop_{false};
};

}  // namespace troupe

#endif  // TROUPE_IO_IO_HOST_H_
