// The whole protocol of io: what its actors are asked, what they report, and
// the typed interface of whoever wants to know.
//
// I/O actor (one per selector)
//   WatchFd        anyone -> I/O actor     watch a descriptor; answered by
//                                          WatchStarted or a typed error
//   ArmFd          observer -> I/O actor   one more FdReady, please
//   FdReady        I/O actor -> observer   at most one outstanding per side
//   EndWatch       observer -> I/O actor   stop watching, close the descriptor
//   WatchEnded     I/O actor -> observer   the watch is over, nobody asked
//   StartTimer     anyone -> I/O actor     one TimerFired, not before `after`
//   TimerFired     I/O actor -> observer   once; may cross a CancelTimer
//
// Read transport
//   ConnectPipe    owner -> transport      take this descriptor; answered when
//                                          the protocol has seen ConnectionMade
//   ConnectionMade transport -> protocol   first
//   DataReceived   transport -> protocol   in order; the Credit in it bounds
//                                          what is in flight
//   EofReceived    transport -> protocol   the last writer closed
//   ConnectionLost transport -> protocol   last, exactly once
//   ObserverLost   transport -> owner      the protocol died; how much it was
//                                          sent, how much was not even read
//
// Write transport
//   Write          anyone -> transport     as a request: answered when the
//                                          buffer is below the high mark
//   WriteLines     anyone -> transport     the same for several pieces at once
//   PauseWriting   transport -> protocol   more than `high` bytes are buffered
//   ResumeWriting  transport -> protocol   `low` or fewer are
//
// The messages carry handles, descriptors and memory of this process; none of
// them leaves it.
#ifndef TROUPE_IO_IO_MESSAGES_H_
#define TROUPE_IO_IO_MESSAGES_H_

#include <cstddef>
#include <optional>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "caf/allowed_unsafe_message_type.hpp"
#include "caf/replies_to.hpp"
#include "caf/typed_actor.hpp"
#include "io/bytes.h"
#include "io/credit.h"
#include "io/fd_ticket.h"
#include "io/readiness.h"
#include "io/timer_id.h"
#include "io/transport_info.h"
#include "io/watch_id.h"

namespace troupe {

// I/O actor.

struct FdReady {
  WatchId watch;
  Side side = Side::kRead;
  Readiness readiness;
};
struct WatchEnded {
  WatchId watch;
  absl::Status why;
};
struct TimerFired {
  TimerId timer;
};
using FdObserver =
    caf::typed_actor<caf::reacts_to<FdReady>, caf::reacts_to<WatchEnded>>;
using TimerObserver = caf::typed_actor<caf::reacts_to<TimerFired>>;

// The I/O actor takes the descriptor out of `fd` and closes it when the watch
// ends. With an empty ticket it watches `borrowed`, which somebody else closes.
// Each side has its own observer, or none; a dead observer's side is dropped,
// and the watch with its last side.
struct WatchFd {
  FdTicket fd;
  int borrowed = -1;
  FdObserver reader;
  FdObserver writer;
};
struct WatchStarted {
  WatchId watch;
  int fd = -1;  // borrowed: valid until the watch ends
};
struct ArmFd {
  WatchId watch;
  Side side = Side::kRead;
  Interest interest = Interest::kReadable;
  bool still_ready = false;  // the descriptor was not drained
};
struct EndWatch {
  WatchId watch;
};
struct StartTimer {
  TimerId timer;
  absl::Duration after;
  TimerObserver observer;  // not kept alive by the timer
};
struct CancelTimer {
  TimerId timer;
};
using IoActor =
    caf::typed_actor<caf::replies_to<WatchFd>::with<WatchStarted>,
                     caf::reacts_to<ArmFd>, caf::reacts_to<EndWatch>,
                     caf::reacts_to<StartTimer>, caf::reacts_to<CancelTimer>>;

// Protocols: who is told what a transport does. The sender is the transport.

struct ConnectionMade {};
struct ConnectionLost {
  absl::Status why;           // OK after an end or a close
  size_t bytes_lost = 0;      // accepted by Write and never written
  size_t writes_refused = 0;  // Writes that came after the end (row W11)
};
struct DataReceived {
  Bytes bytes;  // empty only for an empty message of a socket
  Credit credit;
};
struct EofReceived {};
struct PauseWriting {};
struct ResumeWriting {};
struct ObserverLost {
  size_t bytes_delivered = 0;  // sent to protocols since the start
  size_t bytes_unread = 0;     // that wait in the kernel at this moment
};
using ReadProtocol =
    caf::typed_actor<caf::reacts_to<ConnectionMade>,
                     caf::reacts_to<DataReceived>, caf::reacts_to<EofReceived>,
                     caf::reacts_to<ConnectionLost>>;
using WriteProtocol = caf::typed_actor<
    caf::reacts_to<ConnectionMade>, caf::reacts_to<PauseWriting>,
    caf::reacts_to<ResumeWriting>, caf::reacts_to<ConnectionLost>>;
using TransportOwner = caf::typed_actor<caf::reacts_to<ObserverLost>>;

// Transports.

struct Connected {};
struct CloseTransport {};
struct AbortTransport {};
struct GetTransportInfo {};
template <class Protocol>
struct ConnectPipe {
  FdTicket fd;
  Protocol protocol;
  TransportOwner owner;  // may be empty
};
using ConnectReadPipe = ConnectPipe<ReadProtocol>;
using ConnectWritePipe = ConnectPipe<WriteProtocol>;

struct SetReadProtocol {
  ReadProtocol protocol;
};
struct PauseReading {};
struct ResumeReading {};
using ReadTransport = caf::typed_actor<
    caf::replies_to<ConnectReadPipe>::with<Connected>,
    caf::reacts_to<PauseReading>, caf::reacts_to<ResumeReading>,
    caf::reacts_to<SetReadProtocol>, caf::reacts_to<CloseTransport>,
    caf::replies_to<GetTransportInfo>::with<TransportInfo>>;

struct Write {
  Bytes bytes;
  Credit credit;  // let go when the bytes are written
};
struct WriteLines {
  std::vector<Bytes> lines;
};
struct Drained {
  size_t buffered = 0;
};
struct WriteEof {};
struct SetWriteProtocol {
  WriteProtocol protocol;
};
struct SetWriteBufferLimits {
  std::optional<size_t> high;
  std::optional<size_t> low;
};
using WriteTransport =
    caf::typed_actor<caf::replies_to<ConnectWritePipe>::with<Connected>,
                     caf::replies_to<Write>::with<Drained>,
                     caf::replies_to<WriteLines>::with<Drained>,
                     caf::reacts_to<WriteEof>, caf::reacts_to<CloseTransport>,
                     caf::reacts_to<AbortTransport>,
                     caf::reacts_to<SetWriteProtocol>,
                     caf::replies_to<SetWriteBufferLimits>::with<TransportInfo>,
                     caf::replies_to<GetTransportInfo>::with<TransportInfo>>;

}  // namespace troupe

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::FdReady)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::WatchEnded)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::TimerFired)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::WatchFd)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::WatchStarted)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::ArmFd)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::EndWatch)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::StartTimer)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::CancelTimer)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::ConnectionMade)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::ConnectionLost)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::DataReceived)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::EofReceived)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::PauseWriting)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::ResumeWriting)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::ObserverLost)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::Connected)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::CloseTransport)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::AbortTransport)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::GetTransportInfo)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::TransportInfo)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::ConnectReadPipe)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::ConnectWritePipe)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::SetReadProtocol)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::PauseReading)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::ResumeReading)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::Write)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::WriteLines)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::Drained)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::WriteEof)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::SetWriteProtocol)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::SetWriteBufferLimits)

#endif  // TROUPE_IO_IO_MESSAGES_H_
