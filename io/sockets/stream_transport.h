// One connection: a socket that is read and written, and a protocol that is
// told what comes (rows U25 to U31, U35).
//
//   StreamTransport stream = SpawnStreamTransport(io.host(), io.actor());
//   self->request(stream, caf::infinite,
//                 ConnectUnix{*SocketAddress::Unix(path), protocol})
//       .then([](Connected) {}, [](caf::error& why) {});
//   self->send(stream, Write{Bytes("hello\n"), {}});
//
// The protocol sees ConnectionMade, then DataReceived..., EofReceived if the
// peer's end was reached, PauseWriting and ResumeWriting in turns, and
// ConnectionLost, in this order. Nothing is read before it has handled
// ConnectionMade. Reading is as in read_transport.h, writing as in
// write_transport.h, but that both are over before the connection is:
//
//   EofReceived          AfterEof::kClose flushes, then ends; kHalfOpen lets
//                        the protocol write on
//   WriteEof             flushes, then shuts the writing side down; the other
//                        goes on. When both are over, the connection is (OK)
//   CloseTransport       reads no more, flushes, ends (OK)
//   AbortTransport       ends (OK)
//   a read error         ends with it
//   a write error        ends with it. If the peer is gone, what it has sent
//                        before is read to its end first, unless reading is
//                        paused: a last answer is not lost because we had more
//                        to say
//
// SendFile puts a part of a file between the Writes, in its place; asyncio
// refuses to write meanwhile and reads nothing (row SF11). It takes no memory,
// so the water marks count what is behind it and not the file. CloseTransport
// and WriteEof wait for it. A failure of the file alone is told to whoever
// asked, and the stream goes on, with what was sent of the file in it; one of
// the socket is the connection's, and its, too. A SendFile is answered in every
// ending of the transport.
//
// Messages of sequenced packets and of connected datagrams keep their
// boundaries: each is one DataReceived, each Write is one. An empty Write is
// none.
//
// If the protocol dies, the transport reads no more, flushes and ends, and the
// owner is told ObserverLost. Lifetime and threads are as for ReadTransport.
#ifndef TROUPE_IO_SOCKETS_STREAM_TRANSPORT_H_
#define TROUPE_IO_SOCKETS_STREAM_TRANSPORT_H_

#include <cstddef>

#include "io/io_host.h"
#include "io/io_messages.h"
#include "io/sockets/stream_messages.h"

namespace troupe {

struct StreamTransportOptions {
  size_t window = 256 * 1024;  // as of a read transport
};

// Resident on `host`, of the kind kEpoll, whose I/O actor `io` is; hidden. Any
// thread.
StreamTransport SpawnStreamTransport(IoHost& host, const IoActor& io,
                                     StreamTransportOptions options = {});

}  // namespace troupe

#endif  // TROUPE_IO_SOCKETS_STREAM_TRANSPORT_H_
