#include "io/monitors.h"

#include <utility>
#include <vector>

#include "caf/abstract_actor.hpp"
#include "caf/actor_cast.hpp"
#include "caf/attachable.hpp"
#include "caf/error.hpp"
#include "caf/make_message.hpp"
#include "caf/message_id.hpp"
#include "caf/system_messages.hpp"

namespace troupe {

// What hangs at the actor that is watched. By its number, so that one who lets
// go of an old one does not take away the next.
class Monitors::Attachment : public caf::attachable {
 public:
  static constexpr size_t kType = 0x6d6f6e;  // not one of CAF's

  Attachment(std::weak_ptr<Monitors> table, caf::actor_addr watched,
             uint64_t serial)
      : table_(std::move(table)),
        watched_(std::move(watched)),
        serial_(serial) {}

  void actor_exited(const caf::error& why, caf::execution_unit* unit) override {
    if (auto table = table_.lock()) table->Ended(watched_, why, unit);
  }
  bool matches(const token& what) override {
    return what.subtype == kType &&
           what.ptr == reinterpret_cast<const void*>(serial_);
  }

 private:
  std::weak_ptr<Monitors> table_;
  caf::actor_addr watched_;
  uint64_t serial_;
};

// Attached and detached without the lock: an actor that has ended calls Ended
// from within attach.
void Monitors::Add(Monitor& monitor, const caf::strong_actor_ptr& watched) {
  uint64_t attach = 0;
  {
    std::lock_guard<std::mutex> lock(mutex_);
    Entry& entry = entries_[monitor.watched_];
    if (entry.serial == 0) attach = entry.serial = ++last_serial_;
    monitor.next_ = entry.first;
    if (monitor.next_ != nullptr) monitor.next_->link_ = &monitor.next_;
    entry.first = &monitor;
    monitor.link_ = &entry.first;
  }
  if (attach == 0) return;
  watched->get()->attach(caf::attachable_ptr(
      new Attachment(weak_from_this(), monitor.watched_, attach)));
}

void Monitors::Remove(Monitor& monitor) {
  uint64_t detach = 0;
  {
    std::lock_guard<std::mutex> lock(mutex_);
    if (monitor.link_ == nullptr) return;
    *monitor.link_ = monitor.next_;
    if (monitor.next_ != nullptr) monitor.next_->link_ = monitor.link_;
    monitor.link_ = nullptr;
    auto found = entries_.find(monitor.watched_);
    if (found->second.first != nullptr) return;
    detach = found->second.serial;
    entries_.erase(found);
  }
  auto alive = caf::actor_cast<caf::strong_actor_ptr>(monitor.watched_);
  if (alive == nullptr) return;
  alive->get()->detach(caf::attachable::token(
      Attachment::kType, reinterpret_cast<const void*>(detach)));
}

// Of which attachment this comes does not matter: the actor has ended for all.
void Monitors::Ended(const caf::actor_addr& watched, const caf::error& why,
                     caf::execution_unit* unit) {
  std::vector<caf::strong_actor_ptr> listeners;
  {
    std::lock_guard<std::mutex> lock(mutex_);
    auto found = entries_.find(watched);
    if (found == entries_.end()) return;
    for (Monitor* at = found->second.first; at != nullptr; at = at->next_) {
      at->link_ = nullptr;
      listeners.push_back(at->listener_.lock());
    }
    entries_.erase(found);
  }
  for (const caf::strong_actor_ptr& listener : listeners) {
    if (listener == nullptr) continue;
    listener->enqueue(caf::actor_cast<caf::strong_actor_ptr>(watched),
                      caf::make_message_id(),
                      caf::make_message(caf::down_msg{watched, why}), unit);
  }
}

// -- Monitor ------------------------------------------------------------------

void Monitor::Begin(Monitors& monitors, const caf::strong_actor_ptr& watched,
                    caf::weak_actor_ptr listener) {
  End();
  if (watched == nullptr) return;
  monitors_ = monitors.weak_from_this();
  watched_ = caf::actor_cast<caf::actor_addr>(watched);
  listener_ = std::move(listener);
  monitors.Add(*this, watched);
}

void Monitor::End() {
  if (auto monitors = monitors_.lock()) monitors->Remove(*this);
  monitors_.reset();
  watched_ = caf::actor_addr();
  listener_.reset();
}

}  // namespace troupe
