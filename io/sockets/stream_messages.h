// The whole protocol of streams: sockets that are read and written.
//
// Stream transport (stream_transport.h), one for each connection
//   ConnectStream  anyone -> transport     take this socket; answered when the
//                                          protocol has seen ConnectionMade
//   ConnectUnix    anyone -> transport     connect to this address first
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
//   SendFile       anyone -> transport     a part of a file, in its place among
//                                          the Writes; answered when it is sent
//   CancelSendFile anyone -> transport     all files that are not sent yet
//   WriteDescriptors anyone -> transport   as Write, with open descriptors
//   DescriptorsReceived transport -> descriptor receiver   what the peer passed
//   GetPeer        anyone -> transport     who is at the other end
//   GetTlsInfo     anyone -> transport     what was agreed, if it has TLS
//
// Server (unix_server.h), one for each address
//   StartServing   anyone -> server        listen and accept; answered when it
//                                          does; once is enough
//   StopServing    anyone -> server        no more connections, for good; those
//                                          that are there go on (row U16)
//   CloseClients   anyone -> server        CloseTransport to each of them
//   AbortClients   anyone -> server        AbortTransport to each of them
//   WaitClosed     anyone -> server        answered when it has stopped serving
//                                          and the last connection is gone
//   DrainServer    anyone -> server        stops serving, closes the clients
//   and
//                                          aborts those that are left when the
//                                          time is over; answered as WaitClosed
//   GetServerInfo  anyone -> server        how it stands
//   ServerTrouble  server -> owner         it goes on, but somebody should know
//
// The messages carry handles, descriptors and memory of this process; none of
// them leaves it.
#ifndef TROUPE_IO_SOCKETS_STREAM_MESSAGES_H_
#define TROUPE_IO_SOCKETS_STREAM_MESSAGES_H_

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "caf/allowed_unsafe_message_type.hpp"
#include "caf/replies_to.hpp"
#include "caf/typed_actor.hpp"
#include "io/bytes.h"
#include "io/credit.h"
#include "io/fd_ticket.h"
#include "io/io_messages.h"
#include "io/sockets/socket_address.h"
#include "io/sockets/socket_type.h"
#include "io/tls/tls_certificate.h"
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

// Open descriptors that ride on the first of `bytes`, over a connected UNIX
// socket without TLS. What is accepted is taken out of the tickets and closed
// here when the kernel has it, or when the connection is lost before. A refusal
// leaves it in them: any other socket, more than kMostDescriptors, no byte on a
// stream, no connection yet, an empty ticket. Without descriptors it is a
// Write.
struct WriteDescriptors {
  Bytes bytes;
  std::vector<FdTicket> descriptors;
  Credit credit = {};  // let go when the bytes are written
};
// Comes before the DataReceived whose chunk has the byte that they rode on.
// That chunk ends before the next descriptors' byte, so the order of all of
// them is the sender's. Who lets a copy of the message go without taking them
// closes them.
struct DescriptorsReceived {
  size_t position = 0;  // bytes of the stream before that chunk
  std::vector<FdTicket> descriptors;
  bool lost = false;  // there were more: the descriptor table is full
  Credit credit;      // each counts kDescriptorCost of the stream's window
};
using DescriptorReceiver =
    caf::typed_actor<caf::reacts_to<DescriptorsReceived>>;

struct ConnectStream {
  FdTicket fd;
  StreamProtocol protocol;
  TransportOwner owner = {};  // may be empty
  AfterEof after_eof = AfterEof::kClose;
  // Usually the protocol's actor. Empty: the kernel closes what a peer passes.
  // If it ends, they are closed and the stream goes on.
  DescriptorReceiver descriptors = {};
};
// A full backlog is tried again until the time is over, any other refusal is
// final. CloseTransport and AbortTransport call it off.
struct ConnectUnix {
  SocketAddress address;
  StreamProtocol protocol;
  absl::Duration timeout = absl::Seconds(60);
  TransportOwner owner = {};
  AfterEof after_eof = AfterEof::kClose;
  SocketType type = SocketType::kStream;  // or kSeqpacket
  DescriptorReceiver descriptors = {};    // as of ConnectStream
};
struct SetStreamProtocol {
  StreamProtocol protocol;
};
// The transport owns the descriptor. From the moment it is accepted, the
// position of its open file description will be `offset` plus what was sent
// when it is answered, whatever the answer is (row SF7).
struct SendFile {
  FdTicket file;
  int64_t offset = 0;
  std::optional<int64_t> count = std::nullopt;  // nothing: to the end
  bool fallback = true;  // read and sent, where the kernel cannot copy
};
// May be less than `count`: the file has ended.
struct FileSent {
  uint64_t bytes = 0;
};
// Each is answered with kCancelled, and how much went out.
struct CancelSendFile {};
struct GetPeer {};
// Of the process that connected or began to listen, at that moment; see
// peer_credentials.h.
struct PeerProcess {
  pid_t pid = 0;
  uid_t uid = 0;
  gid_t gid = 0;
  FdTicket pidfd;  // empty where the kernel has none
};
struct PeerInfo {
  SocketAddress address;  // of nobody for a client that did not bind
  SocketAddress own_address;
  std::optional<PeerProcess> process;  // none if it is no UNIX socket
};
struct GetTlsInfo {};
struct TlsInfo {
  std::string version;  // `TLSv1.3`
  std::string cipher;   // `TLS_AES_256_GCM_SHA384`
  std::string alpn;     // empty: none was agreed on
  std::optional<TlsCertificate> peer_certificate;
};
using StreamTransport = caf::typed_actor<
    caf::replies_to<ConnectStream>::with<Connected>,
    caf::replies_to<ConnectUnix>::with<Connected>,
    caf::replies_to<Write>::with<Drained>,
    caf::replies_to<WriteLines>::with<Drained>,
    caf::replies_to<WriteDescriptors>::with<Drained>, caf::reacts_to<WriteEof>,
    caf::reacts_to<CloseTransport>, caf::reacts_to<AbortTransport>,
    caf::reacts_to<PauseReading>, caf::reacts_to<ResumeReading>,
    caf::reacts_to<SetStreamProtocol>,
    caf::replies_to<SetWriteBufferLimits>::with<TransportInfo>,
    caf::replies_to<GetTransportInfo>::with<TransportInfo>,
    caf::replies_to<SendFile>::with<FileSent>, caf::reacts_to<CancelSendFile>,
    caf::replies_to<GetPeer>::with<PeerInfo>,
    caf::replies_to<GetTlsInfo>::with<TlsInfo>>;

struct StartServing {};
struct Serving {};
struct StopServing {};
struct CloseClients {};
struct AbortClients {};
struct WaitClosed {};
struct DrainServer {
  absl::Duration deadline = absl::Seconds(30);
};
struct ServerClosed {
  size_t aborted = 0;  // clients, by DrainServer
};
struct GetServerInfo {};
struct ServerInfo {
  SocketAddress address;
  bool serving = false;
  uint64_t accepted = 0;  // since the start
  std::vector<StreamTransport> connections;
};
// Once when it begins, not for each try.
struct ServerTrouble {
  absl::Status why;
};
using ServerOwner = caf::typed_actor<caf::reacts_to<ServerTrouble>>;
using UnixServer =
    caf::typed_actor<caf::replies_to<StartServing>::with<Serving>,
                     caf::reacts_to<StopServing>, caf::reacts_to<CloseClients>,
                     caf::reacts_to<AbortClients>,
                     caf::replies_to<WaitClosed>::with<ServerClosed>,
                     caf::replies_to<DrainServer>::with<ServerClosed>,
                     caf::replies_to<GetServerInfo>::with<ServerInfo>>;

}  // namespace troupe

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::WriteDescriptors)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::DescriptorsReceived)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::ConnectStream)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::SetStreamProtocol)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::ConnectUnix)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::SendFile)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::FileSent)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::CancelSendFile)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::GetPeer)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::PeerInfo)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::GetTlsInfo)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::TlsInfo)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::StartServing)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::Serving)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::StopServing)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::CloseClients)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::AbortClients)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::WaitClosed)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::DrainServer)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::ServerClosed)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::GetServerInfo)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::ServerInfo)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::ServerTrouble)

#endif  // TROUPE_IO_SOCKETS_STREAM_MESSAGES_H_
