// How long to pause before each further try of what no event announces.
//
//   Backoff backoff;
//   backoff.Next();  // 1 ms, then 2, 4, ... 64, 100, 100, ...
//
// A value; the same calls give the same pauses.
#ifndef TROUPE_IO_SOCKETS_BACKOFF_H_
#define TROUPE_IO_SOCKETS_BACKOFF_H_

#include <algorithm>

#include "absl/time/time.h"

namespace troupe {

class Backoff {
 public:
  explicit Backoff(absl::Duration first = absl::Milliseconds(1),
                   absl::Duration longest = absl::Milliseconds(100))
      : first_(std::min(first, longest)), longest_(longest), next_(first_) {}

  absl::Duration Next() {
    const absl::Duration pause = next_;
    next_ = std::min(2 * pause, longest_);
    return pause;
  }

  // After a success: the first pause comes next.
  void Reset() { next_ = first_; }

 private:
  absl::Duration first_, longest_, next_;
};

}  // namespace troupe

#endif  // TROUPE_IO_SOCKETS_BACKOFF_H_
