// The watches of one selector: who waits for which descriptor, with readiness
// by credit.
//
//   WatchTable table(*selector);
//   OwnedFd fd = ...;
//   auto id = table.Add(fd, std::move(reader), /*writer=*/nullptr);
//   table.Arm(*id, Side::kRead, Interest::kReadable);
//   ... table.Dispatch(event) -> reader->OnReady(id, kRead, readiness), once
//   ... the reader drains the descriptor and calls Arm again
//
// With Trigger::kLevel a watch behaves like select(2): what is ready is
// reported as long as it is ready and armed (event loop callbacks, row FD1). An
// arm that is missing costs a system call there, two of them per event for
// observers that are not on this thread.
//
// A registration is made once; after it a side has at most one OnReady
// outstanding. What happens between OnReady and the next Arm is remembered and
// delivered by DeliverDue, never from inside Arm: an observer is not called
// while it is calling. A hang-up, once seen, is part of every later readiness.
//
// A WatchId is never reused, so events, messages and requests that come late
// for an ended watch are recognised and dropped. A descriptor number cannot do
// that: it is the next one's as soon as it is closed.
//
// One thread. Sinks are kept until the call that ended their watch has
// returned, so a sink may end its own watch.
#ifndef TROUPE_IO_WATCH_TABLE_H_
#define TROUPE_IO_WATCH_TABLE_H_

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "io/owned_fd.h"
#include "io/readiness.h"
#include "io/selector.h"
#include "io/watch_id.h"

namespace troupe {

// Who is told. One per side; both sides may belong to one observer.
class ReadinessSink {
 public:
  virtual ~ReadinessSink() = default;
  virtual void OnReady(WatchId watch, Side side, Readiness readiness) = 0;
  // The watch is over and nobody asked for it: `why` says what happened.
  virtual void OnEnded(WatchId watch, absl::Status why) = 0;
  // For error texts.
  virtual std::string Describe() const = 0;
  // OnReady follows soon: brings near what it touches.
  virtual void Prefetch() const {}
};

enum class Trigger { kEdge, kLevel };

class WatchTable {
 public:
  explicit WatchTable(Selector& selector) : selector_(selector) {}
  ~WatchTable();
  WatchTable(const WatchTable&) = delete;
  WatchTable& operator=(const WatchTable&) = delete;

  // Watches `fd`, owns it from now on and closes it when the watch ends. On
  // failure `fd` stays the caller's. Either sink may be null; SetSink can give
  // one later.
  absl::StatusOr<WatchId> Add(OwnedFd& fd, std::unique_ptr<ReadinessSink> read,
                              std::unique_ptr<ReadinessSink> write);

  // Watches a descriptor that somebody else closes. If the number belongs to a
  // live watch, that one's descriptor was closed behind our back: it is ended
  // and told so. ALREADY_EXISTS when it really is the same descriptor.
  absl::StatusOr<WatchId> AddBorrowed(int fd,
                                      std::unique_ptr<ReadinessSink> read,
                                      std::unique_ptr<ReadinessSink> write,
                                      Trigger trigger = Trigger::kEdge);

  // Gives one side of a watch an observer, in place of the one it has, if any;
  // not armed yet. False if there is no such watch.
  bool SetSink(WatchId watch, Side side, std::unique_ptr<ReadinessSink> sink);

  // The live watch of a number, or none.
  WatchId WatchOf(int fd) const;

  // Who watches, for error texts.
  std::string Describe(WatchId watch) const;

  // Whether the descriptor of a borrowed watch is still the one that was
  // registered; else, closed behind our back, the watch is ended and told so.
  bool StillThere(WatchId watch);

  // Asks for one OnReady. `still_ready`: the observer stopped before the
  // descriptor was drained and wants to go on in the next iteration. Unknown
  // watches are ignored.
  void Arm(WatchId watch, Side side, Interest interest,
           bool still_ready = false);

  // Takes back an Arm; what happens meanwhile is still remembered.
  void Disarm(WatchId watch, Side side);

  // Ends a watch: out of the selector, then closed if owned. False if there is
  // no such watch (any more).
  bool End(WatchId watch);

  // Takes one side's observer away; the watch ends with its last one.
  void Drop(WatchId watch, Side side);

  // Ends all watches and tells each observer why.
  void EndAll(const absl::Status& why);

  // One event of the selector.
  void Dispatch(const Selector::Event& event);

  // An event that is dispatched soon: brings near what that touches, in steps,
  // of which each needs the memory that the one before fetched.
  enum class PrefetchStep { kWatch, kSink, kObserver };
  void Prefetch(const Selector::Event& event, PrefetchStep step) const;

  // Delivers what was remembered for sides armed since.
  void DeliverDue();
  bool has_due() const { return !due_.empty(); }

  size_t size() const { return size_; }

  // Ids below this one are never a watch's: free for the owner's own events.
  static constexpr uint64_t kFirstId = uint64_t{1} << 24;

 private:
  struct Slot {
    std::unique_ptr<ReadinessSink> sink;
    Interest interest = Interest::kReadable;
    bool armed = false;
    uint32_t pending = 0;  // happened since the last OnReady
    uint32_t ended = 0;    // hang-ups, kept for good
  };
  struct Watch {
    uint64_t id = 0;  // 0: free
    int fd = -1;
    bool owned = false;
    Trigger trigger = Trigger::kEdge;
    uint32_t registered = 0;
    Slot slots[2];
  };

  absl::StatusOr<WatchId> Register(int fd, bool owned, Trigger trigger,
                                   std::unique_ptr<ReadinessSink> read,
                                   std::unique_ptr<ReadinessSink> write);
  static uint32_t Wanted(const Watch& watch);
  Watch* Find(WatchId id);
  bool UpdateRegistration(Watch& watch);
  void Deliver(Watch& watch, Side side);
  void Free(Watch& watch);
  void TellEnded(Watch& watch, const absl::Status& why);
  void EndStale(int fd);
  void Bury() {
    if (!graveyard_.empty() && depth_ == 0) BuryAll();
  }
  void BuryAll();

  Selector& selector_;
  std::vector<std::unique_ptr<Watch>> watches_;
  std::vector<uint32_t> free_;   // indices of free watches
  std::vector<uint64_t> by_fd_;  // the live watch of a number, or 0
  std::vector<std::pair<WatchId, Side>> due_;
  std::vector<std::unique_ptr<ReadinessSink>> graveyard_;
  uint64_t generation_ = 0;
  size_t size_ = 0;
  int depth_ = 0;  // calls into sinks on the stack
};

}  // namespace troupe

#endif  // TROUPE_IO_WATCH_TABLE_H_
