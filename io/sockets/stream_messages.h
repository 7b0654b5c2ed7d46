// The whole protocol of streams: sockets that are read and written.
//
// Stream transport (stream_transport.h), one for each connection
//   ConnectStream  anyone -> transport     take this socket; answered when the
//                                          protocol has seen ConnectionMade
//   ConnectionMade transport -> protocol   first
//   DataReceived   transport -> protocol   in order; the Credit in it bounds
//                                          what is in flight
//   EofReceived    transport -> protocol   the peer writes no more
//   PauseWriting   transport -> protocol   more than `high` bytes are buffered
//   ResumeWriting  transport -> protocol   `low` or fewer are
//   ConnectionLost transport -> protocol   last, exactly once
//   ObserverLost   transport -> owner      the protocol died
//   Write, WriteLines, WriteEof, CloseTransport, AbortTransport, PauseReading,
//   ResumeReading, SetWriteBufferLimits, GetTransportInfo: as of the pipes
//   (io_messages.h)
//
// The messages carry handles, descriptors and memory of this process; none of
// them leaves it.
#ifndef TROUPE_IO_SOCKETS_STREAM_MESSAGES_H_
#define TROUPE_IO_SOCKETS_STREAM_MESSAGES_H_

#include "caf/allowed_unsafe_message_type.hpp"
#include "caf/replies_to.hpp"
#include "caf/typed_actor.hpp"
#include "io/fd_ticket.h"
#include "io/io_messages.h"
#include "io/transport_info.h"

namespace troupe {

using StreamProtocol = caf::typed_actor<
    caf::reacts_to<ConnectionMade>, caf::reacts_to<DataReceived>,
    caf::reacts_to<EofReceived>, caf::reacts_to<PauseWriting>,
    caf::reacts_to<ResumeWriting>, caf::reacts_to<ConnectionLost>>;

// What becomes of the writing side when the peer writes no more (rows U26,
// U28).
enum class AfterEof {
  kClose,     // what is written already goes out, then the end
  kHalfOpen,  // until CloseTransport or WriteEof
};

struct ConnectStream {
  FdTicket fd;
  StreamProtocol protocol;
  TransportOwner owner = {};  // may be empty
  AfterEof after_eof = AfterEof::kClose;
};
struct SetStreamProtocol {
  StreamProtocol protocol;
};
using StreamTransport = caf::typed_actor<
    caf::replies_to<ConnectStream>::with<Connected>,
    caf::replies_to<Write>::with<Drained>,
    caf::replies_to<WriteLines>::with<Drained>, caf::reacts_to<WriteEof>,
    caf::reacts_to<CloseTransport>, caf::reacts_to<AbortTransport>,
    caf::reacts_to<PauseReading>, caf::reacts_to<ResumeReading>,
    caf::reacts_to<SetStreamProtocol>,
    caf::replies_to<SetWriteBufferLimits>::with<TransportInfo>,
    caf::replies_to<GetTransportInfo>::with<TransportInfo>>;

}  // namespace troupe

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::ConnectStream)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::SetStreamProtocol)

#endif  // TROUPE_IO_SOCKETS_STREAM_MESSAGES_H_
