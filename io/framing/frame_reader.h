// A stream for whoever rather asks than is told: asyncio's reader and writer
// (row U32).
//
//   FrameReader reader = SpawnFrameReader(io.host());
//   StreamTransport writer = SpawnStreamTransport(io.host(), io.actor());
//   self->request(writer, caf::infinite,
//                 ConnectUnix{.address = *SocketAddress::Unix(path),
//                             .protocol = reader,
//                             .after_eof = AfterEof::kHalfOpen});
//   self->request(writer, caf::infinite, Write{Bytes("hello\n"), {}})
//       .then([](const Drained&) {});           // write and drain in one
//   self->request(reader, caf::infinite, ReadLine{})
//       .then([](Frame& line) {}, [](const caf::error& why) {});
//
// asyncio's open_unix_connection is these two. Its start_unix_server is a
// server whose new_protocol spawns a reader, hands it to whoever serves the
// client, together with the transport it is given, and returns it.
//
// The reader is the transport's protocol; of a read transport, too. It holds
// what nobody has asked for, up to the transport's window, and then the peer
// waits. Once the connection is over it still answers, as long as somebody has
// its handle. A read that was asked gets its frame, also if who asked has given
// up meanwhile: with a timeout of CAF's a frame is lost. When it is killed the
// transport closes and who waits is told.
#ifndef TROUPE_IO_FRAMING_FRAME_READER_H_
#define TROUPE_IO_FRAMING_FRAME_READER_H_

#include <cstddef>

#include "io/framing/frame.h"
#include "io/framing/reader_messages.h"
#include "io/io_host.h"

namespace troupe {

// Resident on `host`; hidden. Any thread. The limit is that of a line, or of
// what is in front of another separator; 0 is refused with the first read.
FrameReader SpawnFrameReader(IoHost& host, size_t limit = kDefaultFrameLimit);

}  // namespace troupe

#endif  // TROUPE_IO_FRAMING_FRAME_READER_H_
