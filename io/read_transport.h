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

  // The end of a FIFO's last writer is no end: reading goes on with the next
  // one (row A24). The descriptor stays what it is: to open the FIFO anew would
  // miss who writes meanwhile, and to keep a writing end of it would need the
  // right to write, and be one more descriptor. Refused on a kPoll thread,
  // which would be told of the end without end.
  bool outlast_writers = false;

  // A terminal whose other side hung up reports EIO, which is an error in
  // asyncio (R8); with this it is the end: EofReceived, ConnectionLost with OK
  // (row A24).
  bool hang_up_is_end = false;
};

// Resident on `host`, whose I/O actor `io` is; hidden. Any thread.
ReadTransport SpawnReadTransport(IoHost& host, const IoActor& io,
                                 ReadTransportOptions options = {});

}  // namespace troupe

#endif  // TROUPE_IO_READ_TRANSPORT_H_
