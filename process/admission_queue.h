// Which start is next: the line before a spawner, as a value.
//
//   AdmissionQueue queue({.live = 64, .starting = 4});
//   queue.Add(ticket, owner, now);
//   while (auto next = queue.Next(now)) ... start it
//   queue.Started(ticket);           // a child more that lives
//   queue.Lacked(ticket, now);       // EAGAIN: it waits again, or gives up
//   queue.Failed(ticket);            // for a reason that time does not mend
//   queue.Ended();                   // a child less
//   ... at queue.wake_at(): ask Next again
//
// Owners take turns, one start each: ten thousand starts of one do not keep
// another's first waiting. Within an owner the order is that of the tickets.
//
// An owner whose start failed for want of something (processes, descriptors,
// memory) waits: `first_wait`, then twice that, up to `longest_wait`; the same
// start is tried again first, and the first that succeeds ends the want. Others
// go on meanwhile: it may be that owner's own limit. A start gives up when it
// fails once more, was in line for `patience`, and its owner has had no success
// for as long; those behind it are each tried once without waiting.
//
// No clock, no thread of its own.
#ifndef TROUPE_PROCESS_ADMISSION_QUEUE_H_
#define TROUPE_PROCESS_ADMISSION_QUEUE_H_

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <list>
#include <map>
#include <optional>
#include <set>
#include <unordered_map>
#include <utility>
#include <vector>

namespace troupe {

struct AdmissionLimits {
  // Children that are not reaped, those that are starting included.
  size_t live = std::numeric_limits<size_t>::max();
  // Handed to the spawner, which makes one after the other, and not answered.
  size_t starting = 4;
  std::chrono::nanoseconds first_wait = std::chrono::milliseconds(10);
  std::chrono::nanoseconds longest_wait = std::chrono::seconds(1);
  std::chrono::nanoseconds patience = std::chrono::seconds(30);
};

class AdmissionQueue {
 public:
  using TimePoint = std::chrono::steady_clock::time_point;
  using Ticket = uint64_t;  // growing
  using Owner = uint64_t;

  // What an owner has tried without success.
  struct Want {
    int tries = 0;
    std::chrono::nanoseconds time{0};  // since the first of them
  };

  explicit AdmissionQueue(AdmissionLimits limits) : limits_(limits) {}

  void Add(Ticket ticket, Owner owner, TimePoint now);

  // False for one that does not wait.
  bool Cancel(Ticket ticket);

  // Counts as starting from now on. Nothing while a limit is reached, nobody
  // waits, or all who do are held.
  std::optional<Ticket> Next(TimePoint now);

  // How a start that was handed out by Next went, once for each.
  void Started(Ticket ticket);
  void Failed(Ticket ticket);
  // Nothing: it waits again.
  std::optional<Want> Lacked(Ticket ticket, TimePoint now);

  // Of one that was started, once.
  void Ended() { --live_; }

  // The end of the first hold, if anybody is held.
  std::optional<TimePoint> wake_at() const;

  size_t waiting() const { return waiting_; }
  size_t starting() const { return starting_.size(); }
  size_t live() const { return live_; }
  size_t owners() const { return lines_.size(); }  // that wait or start

 private:
  struct Line {
    std::map<Ticket, TimePoint> waiting;  // since when
    size_t starting = 0;
    std::optional<std::list<Owner>::iterator> turn;
    std::optional<TimePoint> held_until;
    std::chrono::nanoseconds wait{0};
    int tries = 0;  // without success
    TimePoint first_try;
  };
  struct Start {
    Owner owner;
    TimePoint since;
  };

  void TakeTurn(Owner owner, Line& line);
  void LetGo(Owner owner, Line& line);
  void Hold(Owner owner, Line& line, TimePoint now);
  // Ends a start; its line, if that is still there.
  Start Finish(Ticket ticket);
  void Forget(Owner owner);

  const AdmissionLimits limits_;
  std::unordered_map<Owner, Line> lines_;
  std::unordered_map<Ticket, Owner> owners_;  // of those that wait
  std::unordered_map<Ticket, Start> starting_;
  std::list<Owner> turns_;  // of lines that wait and are not held
  std::set<std::pair<TimePoint, Owner>> held_;
  size_t waiting_ = 0;
  size_t live_ = 0;
};

}  // namespace troupe

#endif  // TROUPE_PROCESS_ADMISSION_QUEUE_H_
