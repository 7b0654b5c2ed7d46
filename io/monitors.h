// Monitoring an actor together with thousands of others.
//
//   Monitor monitor = host->monitors().Watch(protocol, self);
//   ...                        // down_msg comes as after self->monitor(...)
//   monitor = Monitor();       // or it ends with the state it is in
//
// CAF keeps whoever monitors an actor in a list of that actor's, walks all of
// it at each demonitor, and takes nobody out of it who has ended: with one
// observer for 5,000 children each end costs 5,000 steps, and a protocol of
// many connections, one after the other, keeps the memory of all of them. Here
// each actor has one entry for all who watch it, found at once.
//
// Any thread.
#ifndef TROUPE_IO_MONITORS_H_
#define TROUPE_IO_MONITORS_H_

#include <cstdint>
#include <memory>
#include <mutex>
#include <unordered_map>
#include <utility>

#include "caf/actor_addr.hpp"
#include "caf/actor_control_block.hpp"
#include "caf/fwd.hpp"

namespace troupe {

class Monitors;

// One watch; empty, or the only one of its kind.
class Monitor {
 public:
  Monitor() = default;
  Monitor(Monitor&& other) noexcept { *this = std::move(other); }
  Monitor& operator=(Monitor&& other) noexcept;
  ~Monitor();

  explicit operator bool() const { return id_ != 0; }

 private:
  friend class Monitors;

  std::weak_ptr<Monitors> table_;
  caf::actor_addr watched_;
  uint64_t id_ = 0;
};

class Monitors : public std::enable_shared_from_this<Monitors> {
 public:
  // At once if `watched` has ended already; nothing more for an empty pointer.
  Monitor Watch(const caf::strong_actor_ptr& watched,
                const caf::strong_actor_ptr& listener);

 private:
  friend class Monitor;
  class Attachment;

  struct Entry {
    uint64_t serial = 0;  // of its attachment
    std::unordered_map<uint64_t, caf::weak_actor_ptr> listeners;
  };

  void End(const caf::actor_addr& watched, uint64_t id);
  void Ended(const caf::actor_addr& watched, uint64_t serial,
             const caf::error& why, caf::execution_unit* unit);

  std::mutex mutex_;
  uint64_t last_ = 0;
  std::unordered_map<caf::actor_addr, Entry> entries_;
};

}  // namespace troupe

#endif  // TROUPE_IO_MONITORS_H_
