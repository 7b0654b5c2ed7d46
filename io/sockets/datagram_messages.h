// The whole protocol of datagrams.
//
// Datagram transport (datagram_transport.h), one for each socket
//   OpenDatagram     anyone -> transport    begin; answered when the protocol
//                                           has seen ConnectionMade
//   ConnectionMade   transport -> protocol  first
//   DatagramReceived transport -> protocol  in order; the Credit in it bounds
//                                           what is in flight
//   DatagramFailed   transport -> protocol  one that will never arrive; it goes
//                                           on with the others
//   PauseWriting     transport -> protocol  more than `high` bytes wait
//   ResumeWriting    transport -> protocol  `low` or fewer do
//   ConnectionLost   transport -> protocol  last, exactly once
//   SendDatagram     anyone -> transport    as a request: answered when the
//                                           kernel has taken it, or by why not
//   CloseTransport, AbortTransport, PauseReading, ResumeReading,
//   GetTransportInfo: as of the pipes (io_messages.h)
//
// The messages carry handles and memory of this process; none of them leaves
// it.
#ifndef TROUPE_IO_SOCKETS_DATAGRAM_MESSAGES_H_
#define TROUPE_IO_SOCKETS_DATAGRAM_MESSAGES_H_

#include "absl/status/status.h"
#include "caf/allowed_unsafe_message_type.hpp"
#include "caf/replies_to.hpp"
#include "caf/typed_actor.hpp"
#include "io/bytes.h"
#include "io/credit.h"
#include "io/io_messages.h"
#include "io/sockets/socket_address.h"
#include "io/transport_info.h"

namespace troupe {

struct DatagramReceived {
  Bytes bytes;         // may be empty
  SocketAddress from;  // of nobody, if the sender has not bound
  Credit credit;
};
struct DatagramFailed {
  SocketAddress to;  // of nobody: the error of a receive
  absl::Status why;
};
using DatagramProtocol = caf::typed_actor<
    caf::reacts_to<ConnectionMade>, caf::reacts_to<DatagramReceived>,
    caf::reacts_to<DatagramFailed>, caf::reacts_to<PauseWriting>,
    caf::reacts_to<ResumeWriting>, caf::reacts_to<ConnectionLost>>;

struct OpenDatagram {
  DatagramProtocol protocol;
  TransportOwner owner = {};  // may be empty
};
struct SendDatagram {
  Bytes bytes;
  SocketAddress to;    // of nobody: the peer of a connected socket
  Credit credit = {};  // let go when it is sent
};
using DatagramTransport = caf::typed_actor<
    caf::replies_to<OpenDatagram>::with<Connected>,
    caf::replies_to<SendDatagram>::with<Drained>, caf::reacts_to<PauseReading>,
    caf::reacts_to<ResumeReading>, caf::reacts_to<CloseTransport>,
    caf::reacts_to<AbortTransport>,
    caf::replies_to<GetTransportInfo>::with<TransportInfo>>;

}  // namespace troupe

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::DatagramReceived)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::DatagramFailed)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::OpenDatagram)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::SendDatagram)

#endif  // TROUPE_IO_SOCKETS_DATAGRAM_MESSAGES_H_
