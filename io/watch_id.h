// The identity of one watch at one I/O actor. Never reused.
#ifndef TROUPE_IO_WATCH_ID_H_
#define TROUPE_IO_WATCH_ID_H_

#include <cstdint>

namespace troupe {

struct WatchId {
  uint64_t value = 0;  // 0: none

  friend bool operator==(WatchId, WatchId) = default;
};

}  // namespace troupe

#endif  // TROUPE_IO_WATCH_ID_H_
