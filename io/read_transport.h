// Reads one descriptor and tells a protocol what comes: rows R1 to R23.
//
//   ReadTransport in = SpawnReadTransport(io.host(), io.actor());
//   self->request(in, caf::infinite, ConnectReadPipe{ticket, protocol, {}})
//       .then([](Connected) {}, [](caf::error& why) {});
//
// The protocol sees ConnectionMade, DataReceived..., EofReceived if the end was
// reached, and ConnectionLost, each in a message and in this order. Nothing is
// read before it has handled ConnectionMade, so a PauseReading sent from there
// holds (R11). A close means no further read (R13); what was sent before is
// still delivered.
//
// At most `window` bytes, counted as the memory they cost, are in flight:
// delivered and not let go by the credit in DataReceived. Chunks are at most
// 64 KiB (asyncio: 256).
//
// A read error is ConnectionLost with that error and no EofReceived (R8). If
// the protocol dies the transport closes, and the owner is told ObserverLost;
// if it dies in ConnectionMade, or answers it with an error, connecting fails.
// The transport ends itself after ConnectionLost. Dropping its last handle
// closes nothing while it is connected.
//
// Served descriptors: FIFOs, sockets, character devices that epoll takes; on a
// kPoll thread everything, without O_NONBLOCK.
#ifndef TROUPE_IO_READ_TRANSPORT_H_
#define TROUPE_IO_READ_TRANSPORT_H_

#include <cstddef>

#include "io/io_host.h"
#include "io/io_messages.h"

namespace troupe {

struct ReadTransportOptions {
  size_t window = 256 * 1024;
};

// Resident on `host`, whose I/O actor `io` is; hidden. Any thread.
ReadTransport SpawnReadTransport(IoHost& host, const IoActor& io,
                                 ReadTransportOptions options = {});

}  // namespace troupe

#endif  // TROUPE_IO_READ_TRANSPORT_H_
