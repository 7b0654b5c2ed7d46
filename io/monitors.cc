#include "io/monitors.h"

#include <utility>

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
    if (auto table = table_.lock()) table->Ended(watched_, serial_, why, unit);
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
Monitor Monitors::Watch(const caf::strong_actor_ptr& watched,
                        const caf::strong_actor_ptr& listener) {
  Monitor monitor;
  if (watched == nullptr) return monitor;
  monitor.table_ = weak_from_this();
  monitor.watched_ = caf::actor_cast<caf::actor_addr>(watched);
  uint64_t attach = 0;
  {
    std::lock_guard<std::mutex> lock(mutex_);
    monitor.id_ = ++last_;
    Entry& entry = entries_[monitor.watched_];
    if (entry.serial == 0) attach = entry.serial = ++last_;
    entry.listeners.emplace(monitor.id_, caf::weak_actor_ptr(listener.get()));
  }
  if (attach != 0) {
    watched->get()->attach(caf::attachable_ptr(
        new Attachment(weak_from_this(), monitor.watched_, attach)));
  }
  return monitor;
}

void Monitors::End(const caf::actor_addr& watched, uint64_t id) {
  uint64_t detach = 0;
  {
    std::lock_guard<std::mutex> lock(mutex_);
    auto found = entries_.find(watched);
    if (found == entries_.end()) return;
    found->second.listeners.erase(id);
    if (!found->second.listeners.empty()) return;
    detach = found->second.serial;
    entries_.erase(found);
  }
  auto alive = caf::actor_cast<caf::strong_actor_ptr>(watched);
  if (alive == nullptr) return;
  alive->get()->detach(caf::attachable::token(
      Attachment::kType, reinterpret_cast<const void*>(detach)));
}

void Monitors::Ended(const caf::actor_addr& watched, uint64_t serial,
                     const caf::error& why, caf::execution_unit* unit) {
  Entry entry;
  {
    std::lock_guard<std::mutex> lock(mutex_);
    auto found = entries_.find(watched);
    if (found == entries_.end() || found->second.serial != serial) return;
    entry = std::move(found->second);
    entries_.erase(found);
  }
  for (const auto& [id, listener] : entry.listeners) {
    caf::strong_actor_ptr alive = listener.lock();
    if (alive == nullptr) continue;
    alive->enqueue(caf::actor_cast<caf::strong_actor_ptr>(watched),
                   caf::make_message_id(),
                   caf::make_message(caf::down_msg{watched, why}), unit);
  }
}

// -- Monitor ------------------------------------------------------------------

Monitor& Monitor::operator=(Monitor&& other) noexcept {
  std::swap(table_, other.table_);
  std::swap(watched_, other.watched_);
  std::swap(id_, other.id_);
  return *this;
}

Monitor::~Monitor() {
  if (id_ == 0) return;
  if (auto table = table_.lock()) table->End(watched_, id_);
}

}  // namespace troupe
