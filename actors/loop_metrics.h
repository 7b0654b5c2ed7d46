// What a loop has done so far, and what it has to do.
#ifndef TROUPE_ACTORS_LOOP_METRICS_H_
#define TROUPE_ACTORS_LOOP_METRICS_H_

#include <cstddef>
#include <cstdint>

#include "absl/time/time.h"

namespace troupe {

struct LoopMetrics {
  uint64_t iterations = 0;
  uint64_t callbacks = 0;  // that were run
  size_t ready = 0;        // to run in the next iteration
  size_t timers = 0;       // armed
  size_t descriptors = 0;  // with a reader, a writer or both
  // Of up to 16 that ran together; each alone in debug mode.
  absl::Duration longest_callback;
  absl::Duration lag;          // how late the latest timer began
  absl::Duration longest_lag;  // of all timers
};

}  // namespace troupe

#endif  // TROUPE_ACTORS_LOOP_METRICS_H_
