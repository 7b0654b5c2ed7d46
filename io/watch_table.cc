#include "io/watch_table.h"

#include <cerrno>

#include "absl/strings/str_cat.h"
#include "io/os_error.h"

namespace troupe {
namespace {

constexpr uint32_t kIndexMask = WatchTable::kFirstId - 1;
constexpr uint32_t kReadEvents = EPOLLIN | EPOLLRDHUP;
constexpr uint32_t kEndEvents = EPOLLHUP | EPOLLERR;

uint32_t Relevant(Side side, Interest interest) {
  if (side == Side::kRead) return kReadEvents | kEndEvents;
  return interest == Interest::kWritable ? EPOLLOUT | kEndEvents : kEndEvents;
}

}  // namespace

WatchTable::~WatchTable() {
  for (auto& watch : watches_) {
    if (watch->id != 0) End(WatchId{watch->id});
  }
}

absl::StatusOr<WatchId> WatchTable::Add(OwnedFd& fd,
                                        std::unique_ptr<ReadinessSink> read,
                                        std::unique_ptr<ReadinessSink> write) {
  auto id = Register(fd.get(), /*owned=*/true, Trigger::kEdge, std::move(read),
                     std::move(write));
  if (id.ok()) (void)fd.Release();
  return id;
}

absl::StatusOr<WatchId> WatchTable::AddBorrowed(
    int fd, std::unique_ptr<ReadinessSink> read,
    std::unique_ptr<ReadinessSink> write, Trigger trigger) {
  return Register(fd, /*owned=*/false, trigger, std::move(read),
                  std::move(write));
}

absl::StatusOr<WatchId> WatchTable::Register(
    int fd, bool owned, Trigger trigger, std::unique_ptr<ReadinessSink> read,
    std::unique_ptr<ReadinessSink> write) {
  if (fd < 0) {
    return absl::InvalidArgumentError(
        absl::StrCat("Invalid file descriptor: ", fd));
  }
  if (free_.empty()) {
    free_.push_back(watches_.size());
    watches_.push_back(std::make_unique<Watch>());
  }
  uint64_t id = (++generation_ * kFirstId) | free_.back();
  // Level-triggered ones are asked for when they are armed.
  uint32_t events = EPOLLET;
  if (read != nullptr && trigger == Trigger::kEdge) events |= kReadEvents;
  absl::Status added = selector_.Add(fd, id, events);
  if (!added.ok()) return added;
  // The place is taken before EndStale gives another one back.
  free_.pop_back();
  EndStale(fd);
  Watch& watch = *watches_[id & kIndexMask];
  watch.id = id;
  watch.fd = fd;
  watch.owned = owned;
  watch.trigger = trigger;
  watch.registered = events;
  watch.slots[0] = Slot{std::move(read)};
  watch.slots[1] = Slot{std::move(write)};
  if (by_fd_.size() <= static_cast<size_t>(fd)) by_fd_.resize(fd + 1);
  by_fd_[fd] = id;
  ++size_;
  return WatchId{id};
}

// The selector took `fd` although a watch has that number: that watch's
// descriptor is closed and the number is another's now. It must not be removed
// or closed by number.
void WatchTable::EndStale(int fd) {
  if (by_fd_.size() <= static_cast<size_t>(fd)) return;
  Watch* watch = Find(WatchId{by_fd_[fd]});
  if (watch == nullptr) return;
  WatchId id{watch->id};
  TellEnded(*watch, OsError(EBADF, "watch",
                            absl::StrCat("fd ", fd, ", closed elsewhere")));
  if (Find(id) != nullptr) Free(*watch);
}

void WatchTable::TellEnded(Watch& watch, const absl::Status& why) {
  WatchId id{watch.id};
  ++depth_;
  for (Slot& slot : watch.slots) {
    if (slot.sink != nullptr) slot.sink->OnEnded(id, why);
  }
  --depth_;
}

WatchTable::Watch* WatchTable::Find(WatchId id) {
  uint32_t index = id.value & kIndexMask;
  if (id.value == 0 || index >= watches_.size()) return nullptr;
  Watch* watch = watches_[index].get();
  return watch->id == id.value ? watch : nullptr;
}

void WatchTable::Arm(WatchId id, Side side, Interest interest,
                     bool still_ready) {
  Watch* watch = Find(id);
  if (watch == nullptr) return;
  Slot& slot = watch->slots[static_cast<int>(side)];
  if (slot.sink == nullptr) return;
  slot.armed = true;
  slot.interest = interest;
  if (!UpdateRegistration(*watch)) selector_.Rearm(watch->fd);
  if (still_ready) slot.pending |= side == Side::kRead ? EPOLLIN : EPOLLOUT;
  if (slot.pending & Relevant(side, interest)) due_.emplace_back(id, side);
}

// What to ask the selector for. A level-triggered watch that nobody waits for
// is made edge-triggered: epoll reports a hang-up that was not asked for, too,
// and would again and again.
uint32_t WatchTable::Wanted(const Watch& watch) {
  const Slot& reader = watch.slots[0];
  const Slot& writer = watch.slots[1];
  const bool level = watch.trigger == Trigger::kLevel;
  const bool read = level ? reader.armed : reader.sink != nullptr;
  const bool write = writer.armed && writer.interest == Interest::kWritable;
  uint32_t events = 0;
  if (read) events |= kReadEvents;
  if (write) events |= EPOLLOUT;
  if (!level || events == 0) events |= EPOLLET;
  return events;
}

// Asks the selector for what the observers want now; false if it is asked for
// that already.
bool WatchTable::UpdateRegistration(Watch& watch) {
  const uint32_t events = Wanted(watch);
  if (events == watch.registered) return false;
  watch.registered = events;
  (void)selector_.Modify(watch.fd, watch.id, events);
  return true;
}

bool WatchTable::SetSink(WatchId id, Side side,
                         std::unique_ptr<ReadinessSink> sink) {
  Watch* watch = Find(id);
  if (watch == nullptr) return false;
  Slot& slot = watch->slots[static_cast<int>(side)];
  graveyard_.push_back(std::move(slot.sink));
  slot = Slot{std::move(sink)};
  UpdateRegistration(*watch);
  Bury();
  return true;
}

WatchId WatchTable::WatchOf(int fd) const {
  if (fd < 0 || by_fd_.size() <= static_cast<size_t>(fd)) return WatchId{};
  return WatchId{by_fd_[fd]};
}

std::string WatchTable::Describe(WatchId id) const {
  const Watch* watch = const_cast<WatchTable*>(this)->Find(id);
  if (watch == nullptr) return "nobody";
  const Slot& slot = watch->slots[watch->slots[0].sink == nullptr ? 1 : 0];
  return slot.sink->Describe();
}

bool WatchTable::StillThere(WatchId id) {
  Watch* watch = Find(id);
  if (watch == nullptr) return false;
  if (selector_.Modify(watch->fd, watch->id, watch->registered).ok()) {
    return true;
  }
  EndStale(watch->fd);
  return false;
}

void WatchTable::Disarm(WatchId id, Side side) {
  Watch* watch = Find(id);
  if (watch != nullptr) watch->slots[static_cast<int>(side)].armed = false;
}

bool WatchTable::End(WatchId id) {
  Watch* watch = Find(id);
  if (watch == nullptr) return false;
  selector_.Remove(watch->fd);
  if (watch->owned) OwnedFd(watch->fd).Close();
  Free(*watch);
  return true;
}

void WatchTable::Drop(WatchId id, Side side) {
  Watch* watch = Find(id);
  if (watch == nullptr) return;
  Slot& slot = watch->slots[static_cast<int>(side)];
  graveyard_.push_back(std::move(slot.sink));
  slot.armed = false;
  if (watch->slots[0].sink == nullptr && watch->slots[1].sink == nullptr) {
    End(id);
  } else {
    UpdateRegistration(*watch);
    Bury();
  }
}

void WatchTable::EndAll(const absl::Status& why) {
  for (size_t i = 0; i < watches_.size(); ++i) {
    WatchId id{watches_[i]->id};
    if (id.value == 0) continue;
    TellEnded(*watches_[i], why);
    End(id);
  }
}

void WatchTable::Free(Watch& watch) {
  if (by_fd_[watch.fd] == watch.id) by_fd_[watch.fd] = 0;
  free_.push_back(watch.id & kIndexMask);
  for (Slot& slot : watch.slots) graveyard_.push_back(std::move(slot.sink));
  watch = Watch();
  --size_;
  Bury();
}

// A sink may be the one whose call ends its own watch: it goes when no call
// into a sink is on the stack. Its destructor may drop the last handle of an
// actor, so the list is emptied first.
void WatchTable::BuryAll() {
  std::vector<std::unique_ptr<ReadinessSink>> dead;
  dead.swap(graveyard_);
}

void WatchTable::Dispatch(const Selector::Event& event) {
  WatchId id{event.id};
  for (Side side : {Side::kRead, Side::kWrite}) {
    Watch* watch = Find(id);  // anew: the read side may have ended it
    if (watch == nullptr) return;
    Slot& slot = watch->slots[static_cast<int>(side)];
    if (slot.sink == nullptr) continue;
    const uint32_t mask =
        side == Side::kRead ? kReadEvents | kEndEvents : EPOLLOUT | kEndEvents;
    if (watch->trigger == Trigger::kLevel) [[unlikely]] {
      slot.pending = slot.armed ? event.events & mask : 0;  // told again if not
    } else if ((event.events & mask) == 0) {
      continue;
    } else {
      slot.pending |= event.events & mask;
      slot.ended |= event.events & (kEndEvents | EPOLLRDHUP) & mask;
    }
    if (slot.armed && (slot.pending & Relevant(side, slot.interest))) {
      Deliver(*watch, side);
    }
  }
}

void WatchTable::Prefetch(const Selector::Event& event,
                          PrefetchStep step) const {
  const uint32_t index = event.id & kIndexMask;
  if (event.id < kFirstId || index >= watches_.size()) return;
  const Watch* watch = watches_[index].get();
  if (step == PrefetchStep::kWatch) return __builtin_prefetch(watch);
  const ReadinessSink* sink = watch->slots[0].sink.get();
  if (sink == nullptr) return;
  if (step == PrefetchStep::kSink) return __builtin_prefetch(sink);
  sink->Prefetch();
}

void WatchTable::DeliverDue() {
  std::vector<std::pair<WatchId, Side>> due;
  due.swap(due_);
  for (auto [id, side] : due) {
    Watch* watch = Find(id);
    if (watch == nullptr) continue;
    Slot& slot = watch->slots[static_cast<int>(side)];
    if (slot.armed && (slot.pending & Relevant(side, slot.interest))) {
      Deliver(*watch, side);
    }
  }
}

void WatchTable::Deliver(Watch& watch, Side side) {
  Slot& slot = watch.slots[static_cast<int>(side)];
  Readiness readiness{slot.pending | slot.ended};
  slot.armed = false;
  slot.pending = 0;
  const bool level = watch.trigger == Trigger::kLevel;
  ++depth_;
  WatchId id{watch.id};
  slot.sink->OnReady(id, side, readiness);
  --depth_;
  Bury();
  // An observer that has not armed again must not be told again.
  Watch* left = level ? Find(id) : nullptr;
  if (left != nullptr) UpdateRegistration(*left);
}

}  // namespace troupe
