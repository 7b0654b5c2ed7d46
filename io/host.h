// A queue of actors that are ready to run, and a thread of ours that runs them:
// what CAF calls an execution unit. What the thread sleeps in when the queue is
// empty is the subclass's business (IoHost: a selector). Who lives on it are
// residents (resident.h).
//
// A message from one resident to another that is at rest does not pass its
// mailbox: it waits in a line of the host's, which is emptied before any actor
// runs that was made ready. So the order in which a sender's messages arrive is
// that of any actor, and so is all else.
//
// When a host stops it kills the residents that are left; from then on messages
// to them bounce like those to any dead actor. The object lives as long as they
// do.
#ifndef TROUPE_IO_HOST_H_
#define TROUPE_IO_HOST_H_

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <unordered_map>
#include <utility>
#include <vector>

#include "caf/actor_system.hpp"
#include "caf/execution_unit.hpp"
#include "caf/mailbox_element.hpp"
#include "caf/resumable.hpp"
#include "io/direct_handlers.h"
#include "io/parcel.h"

namespace troupe {

class Monitors;
class ResidentBase;

class Host : public caf::execution_unit,
             public std::enable_shared_from_this<Host> {
 public:
  explicit Host(caf::actor_system& system);
  ~Host() override;

  // Whether the caller is on the host's thread, inside its run.
  bool OnThread() const { return current_ == this; }
  static bool AnyOnThisThread() { return current_ != nullptr; }

  // Queues an actor of which the caller holds a reference for us. CAF's
  // interface; any thread.
  void exec_later(caf::resumable* job) final;

  // For residents that monitor whom many others monitor, too.
  Monitors& monitors() const { return *monitors_; }

  // Ends the sleep of the host's thread if it sleeps; any thread.
  void WakeIfAsleep() {
    if (sleeping_.load()) Wake();
  }

  // Residents announce themselves and leave; any thread. False when the host
  // takes no more.
  bool Enter(caf::abstract_actor* resident);
  void Leave(caf::abstract_actor* resident);
  size_t resident_count() const;

  // For residents: whether a message may go into the line now, and how.
  bool HasLine() const { return OnThread() && line_open_ && line_left_ > 0; }
  void PutInLine(ResidentBase& receiver, caf::strong_actor_ptr keep_alive,
                 caf::mailbox_element_ptr element) {
    line_.emplace_back(receiver, std::move(keep_alive), std::move(element));
    --line_left_;
  }
  // For its direct handler.
  template <class T>
  void PutInLine(ResidentBase& receiver, caf::strong_actor_ptr keep_alive,
                 DirectHandlers::Function handle, T& message) {
    line_.emplace_back(receiver, std::move(keep_alive), handle, message);
    --line_left_;
  }

 protected:
  // Ends the sleep of the host's thread; any thread.
  virtual void Wake() = 0;

  // What follows is for the host's own thread.

  // The host belongs to the calling thread until PauseRun, or for good until
  // EndRun. Before and between it counts as asleep. One may end inside another.
  void BeginRun() {
    outer_ = current_;
    current_ = this;
    sleeping_.store(false);
  }
  void PauseRun() {
    sleeping_.store(true);
    current_ = outer_;
  }
  void EndRun();

  // Between these two a message from another thread calls Wake().
  // BeginSleep is false when there is work and so no reason to sleep.
  // `sleeping_` is set before the queue is looked at again: whoever queues
  // after that look sees the flag and wakes us.
  bool BeginSleep() {
    if (!line_.empty() || InRound() || TakeRemote()) return false;
    sleeping_.store(true);
    if (!TakeRemote()) return true;
    sleeping_.store(false);
    return false;
  }
  // Seen late it costs a wake-up for nothing.
  void EndSleep() { sleeping_.store(false, std::memory_order_release); }

  // From here on residents run no longer than kSlice, or for a few messages and
  // actors if that takes longer; what is left waits for the next slice.
  void BeginSlice() {
    slice_end_ns_ = 0;
    slice_over_ = false;
  }
  bool slice_over() const { return slice_over_; }

  // Hands over what is in the line, and what comes into it meanwhile, until the
  // slice is over. Between events it keeps what belongs together in the
  // processor's caches.
  bool EmptyLine() { return !line_.empty() && HandleLine(); }

  // Empties the line, then runs what was ready when the round began, or a part
  // of it if that is a lot; false if there was neither. What an actor makes
  // ready meanwhile comes after it.
  bool RunRound() {
    const bool had_line = EmptyLine();
    if (!line_.empty()) return true;
    line_left_ = kMaxLine;
    if (!InRound() && !TakeRemote()) return had_line;
    RunReady();
    return true;
  }

  // From now on a new resident is dead before it begins: without that a thread
  // that goes on spawning would keep the end from coming.
  void CloseToNewcomers();

  // Ends all residents but `last`; they are gone when the rounds after it have
  // run.
  void KillResidents(const caf::abstract_actor* last = nullptr);

 private:
  // Messages that the line takes between two rounds; more go to mailboxes. So
  // neither a flood nor two residents in ping-pong keep the others from
  // running.
  static constexpr size_t kMaxLine = 1024;
  // As long as events and timers may wait for residents.
  static constexpr std::chrono::nanoseconds kSlice =
      std::chrono::microseconds(100);
  // Messages, and actors, between two looks at the clock.
  static constexpr size_t kBetweenLooks = 16;

  struct Waiting {
    Waiting(ResidentBase& receiver, caf::strong_actor_ptr keep_alive,
            caf::mailbox_element_ptr element)
        : receiver(&receiver),
          keep_alive(std::move(keep_alive)),
          element(std::move(element)) {}
    template <class T>
    Waiting(ResidentBase& receiver, caf::strong_actor_ptr keep_alive,
            DirectHandlers::Function handle, T& message)
        : receiver(&receiver),
          keep_alive(std::move(keep_alive)),
          parcel(handle, std::move(message)) {}

    ResidentBase* receiver;
    caf::strong_actor_ptr keep_alive;
    caf::mailbox_element_ptr element;
    Parcel parcel;  // without an element
  };

  bool TakeRemote() {
    if (has_remote_.load()) FetchRemote();
    return !local_.empty();
  }
  void FetchRemote();
  bool HandleLine();
  void RunReady();
  bool SliceIsOver();
  bool InRound() const { return next_ < round_.size(); }

  static thread_local Host* current_;

  const std::shared_ptr<Monitors> monitors_;
  Host* outer_ = nullptr;  // current_ before BeginRun
  std::vector<caf::resumable*> local_;
  std::vector<caf::resumable*> round_;
  size_t next_ = 0;  // in round_
  std::vector<Waiting> line_;
  size_t line_next_ = 0;  // before it they are handled
  size_t line_left_ = kMaxLine;
  int64_t slice_end_ns_ = 0;  // 0: not known yet
  bool slice_over_ = false;
  bool line_open_ = true;  // until the end
  std::atomic<bool> sleeping_{true};
  std::atomic<bool> has_remote_{false};

  mutable std::mutex mutex_;  // guards what follows
  std::vector<caf::resumable*> remote_;
  bool full_ = false;    // takes no new residents
  bool closed_ = false;  // runs nobody any more
  std::unordered_map<caf::abstract_actor*, caf::weak_actor_ptr> residents_;
};

// The host behind `unit`; aborts with a sentence if it is none, because an
// actor spawned without one would run on a worker and break every promise.
std::shared_ptr<Host> RequireHost(caf::execution_unit* unit);

}  // namespace troupe

#endif  // TROUPE_IO_HOST_H_
