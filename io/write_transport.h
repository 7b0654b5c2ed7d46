// Writes one descriptor, in order, and tells a protocol when to pause: rows W1
// to W28.
//
//   WriteTransport out = SpawnWriteTransport(io.host(), io.actor());
//   self->request(out, caf::infinite, ConnectWritePipe{ticket, protocol, {}});
//   self->send(out, Write{Bytes(line), {}});
//   self->send(out, WriteEof{});
//
// A Write is accepted at once; what the descriptor does not take is buffered.
// Above the high mark the protocol gets PauseWriting, at or below the low one
// ResumeWriting (W17 to W19). A Write that is sent as a request is answered
// when the buffer is not above its mark, with an error if the connection ends
// before. The Credit in a Write goes back when its bytes are written.
//
// WriteEof and CloseTransport flush first, and wait as long as the reader takes
// (W14); AbortTransport does not. The end of the reader is noticed by hang-up,
// not by input (W4): ConnectionLost is OK if nothing was buffered, else broken
// pipe (W3). Writes after the end are refused and counted (W11).
//
// The protocol may be left out: nobody is told then. Lifetime, owner and
// threads are as for ReadTransport.
#ifndef TROUPE_IO_WRITE_TRANSPORT_H_
#define TROUPE_IO_WRITE_TRANSPORT_H_

#include "io/io_host.h"
#include "io/io_messages.h"

namespace troupe {

// Resident on `host`, whose I/O actor `io` is; hidden. Any thread.
WriteTransport SpawnWriteTransport(IoHost& host, const IoActor& io);

}  // namespace troupe

#endif  // TROUPE_IO_WRITE_TRANSPORT_H_
