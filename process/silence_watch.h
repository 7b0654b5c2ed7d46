// Closes a child's streams when they have been silent for a time: for a
// grandchild that holds them and may never let go.
//
// Silent means that since the last look nothing was read, nothing is in flight
// to the observer and nothing waits in a pipe. Then nothing is lost by closing.
// A stream that is not connected yet is not silent.
#ifndef TROUPE_PROCESS_SILENCE_WATCH_H_
#define TROUPE_PROCESS_SILENCE_WATCH_H_

#include <vector>

#include "absl/time/time.h"
#include "io/io_host.h"
#include "io/io_messages.h"

namespace troupe {

// The streams of one child; `in` may be empty. At least a millisecond.
struct WatchedStreams {
  WriteTransport in;
  std::vector<ReadTransport> outputs;
  absl::Duration silence;
};

// Resident on `host`, whose I/O actor `io` is; hidden. It works as long as the
// handle is kept, and ends with the streams.
TimerObserver SpawnSilenceWatch(IoHost& host, const IoActor& io,
                                WatchedStreams streams);

}  // namespace troupe

#endif  // TROUPE_PROCESS_SILENCE_WATCH_H_
