// Monitoring an actor together with thousands of others.
//
//   Monitor monitor;                                      // in a state
//   monitor.Begin(host->monitors(), protocol, self);      // empty: of nobody
//   ...                        // down_msg comes as after self->monitor(...)
//   monitor.End();                                        // or its destructor
//
// CAF keeps whoever monitors an actor in a list of that actor's, walks all of
// it at each demonitor, and takes nobody out of it who has ended: with one
// observer for 5,000 children each end costs 5,000 steps, and a protocol of
// many connections, one after the other, keeps the memory of all of them. Here
// each actor has one entry for all who watch it, found at once, and the watches
// themselves are linked: 100 bytes more than CAF's.
//
// Any thread, one at a time for each monitor.
#ifndef TROUPE_IO_MONITORS_H_
#define TROUPE_IO_MONITORS_H_

#include <cstdint>
#include <memory>
#include <mutex>
#include <unordered_map>

#include "caf/actor_addr.hpp"
#include "caf/actor_cast.hpp"
#include "caf/actor_control_block.hpp"
#include "caf/fwd.hpp"

namespace troupe {

class Monitors;

class Monitor {
 public:
  Monitor() = default;
  Monitor(const Monitor&) = delete;
  Monitor& operator=(const Monitor&) = delete;
  ~Monitor() { End(); }

  // In place of what it watched before. Of an actor that has ended the listener
  // hears at once.
  template <class Handle, class Actor>
  void Begin(Monitors& monitors, const Handle& watched, Actor* listener) {
    Begin(monitors, caf::actor_cast<caf::strong_actor_ptr>(watched),
          caf::weak_actor_ptr(listener->ctrl()));
  }
  void End();

 private:
  friend class Monitors;

  void Begin(Monitors& monitors, const caf::strong_actor_ptr& watched,
             caf::weak_actor_ptr listener);

  std::weak_ptr<Monitors> monitors_;
  caf::actor_addr watched_;
  caf::weak_actor_ptr listener_;
  // Guarded by the table.
  Monitor* next_ = nullptr;
  Monitor** link_ = nullptr;  // what points to this one; null: nothing does
};

class Monitors : public std::enable_shared_from_this<Monitors> {
 private:
  friend class Monitor;
  class Attachment;

  struct Entry {
    uint64_t serial = 0;  // of its attachment
    Monitor* first = nullptr;
  };

  void Add(Monitor& monitor, const caf::strong_actor_ptr& watched);
  void Remove(Monitor& monitor);
  void Ended(const caf::actor_addr& watched, const caf::error& why,
             caf::execution_unit* unit);

  std::mutex mutex_;
  uint64_t last_serial_ = 0;
  std::unordered_map<caf::actor_addr, Entry> entries_;
};

}  // namespace troupe

#endif  // TROUPE_IO_MONITORS_H_
