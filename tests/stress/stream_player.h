// One end of a connection that does at random what a protocol may do: it writes
// chunks of any size and pauses between them, stops reading, keeps credit, ends
// its side or aborts. It checks what it is told, and keeps the sum.
//
//   PlayerReport report;
//   StreamPlayer player = SpawnPlayer(system, stream, io.actor(),
//                                     {.seed = 1, .out = 0, .in = 1, ...},
//                                     pattern, &report);
//   ... ConnectUnix{address, player} ...
//   caf::anon_send(player, Begin{});    // nothing is written before
//
// It respects the water marks: nothing is written between PauseWriting and
// ResumeWriting, and each burst waits until the one before is Drained. So at
// most the high mark and one burst, of `max_chunk` bytes, are buffered.
#ifndef TROUPE_TESTS_STRESS_STREAM_PLAYER_H_
#define TROUPE_TESTS_STRESS_STREAM_PLAYER_H_

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>

#include "absl/status/status.h"
#include "caf/actor_system.hpp"
#include "caf/allowed_unsafe_message_type.hpp"
#include "caf/typed_actor.hpp"
#include "io/io_host.h"
#include "io/io_messages.h"
#include "io/sockets/stream_messages.h"
#include "tests/stress/byte_pattern.h"

namespace troupe {

struct Begin {};
using StreamPlayer =
    StreamProtocol::extend<caf::reacts_to<Begin>, caf::reacts_to<TimerFired>>;

struct PlayerPlan {
  uint64_t seed = 0;
  uint64_t out = 0;  // streams of the pattern: what it writes, what it reads
  uint64_t in = 0;
  size_t to_send = 0;  // then it ends its side
  size_t max_chunk = 0;
  // As the transport was told; with kClose it writes no more after the end.
  AfterEof after_eof = AfterEof::kHalfOpen;
  // When so much was sent and received.
  size_t abort_after = std::numeric_limits<size_t>::max();
};

// Written by the player until `lost`, which is the last of it.
struct PlayerReport {
  std::string complaint;  // the first thing that was not as it must be
  int made = 0;
  int eofs = 0;
  int pauses = 0;
  bool aborted = false;
  size_t sent = 0;
  size_t received = 0;
  absl::Status why;  // of ConnectionLost
  size_t bytes_lost = 0;
  size_t writes_refused = 0;
  std::atomic<int> lost{0};
};

// On a worker, or on the host's thread; hidden. `pattern` and `report` must
// outlive it.
StreamPlayer SpawnPlayer(caf::actor_system& system, StreamTransport stream,
                         IoActor io, PlayerPlan plan,
                         const BytePattern& pattern, PlayerReport* report);
StreamPlayer SpawnResidentPlayer(IoHost& host, StreamTransport stream,
                                 IoActor io, PlayerPlan plan,
                                 const BytePattern& pattern,
                                 PlayerReport* report);

}  // namespace troupe

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::Begin)

#endif  // TROUPE_TESTS_STRESS_STREAM_PLAYER_H_
