// A stream transport with TLS between protocol and socket: the same messages,
// and nothing else changes for the protocol (rows U21, U33).
//
//   auto context = TlsContext::Client({.ca_file = "ca.pem"});
//   StreamTransport stream = SpawnTlsTransport(
//       io.host(), io.actor(),
//       {.context = *context, .server_hostname = "example.org"});
//   ... ConnectUnix, Write, ... as in stream_transport.h ...
//
// The context says which side we are. The protocol is told ConnectionMade when
// the handshake is done; if it fails, or takes longer than its time, connecting
// fails with an error that names the reason: `TLS handshake with "example.org":
// certificate verify failed: ...`. The peer is sent the alert that says so.
//
//   EofReceived      the peer's close_notify. A connection that ends without is
//                    ConnectionLost with DATA_LOSS: it may have been cut
//   WriteEof,        flush, and send our close_notify; the socket is not shut
//   CloseTransport   down for writing before it is closed
//
// A file is read, encrypted a record at a time, and its answer comes when the
// last record is in the buffer; `fallback = false` is refused (row SF10).
//
// What is written before the handshake is done waits for it, beyond the water
// marks. A client that presents no certificate to a server that wants one hears
// of it only after ConnectionMade (TLS 1.3). GetTlsInfo tells what was agreed.
#ifndef TROUPE_IO_SOCKETS_TLS_TRANSPORT_H_
#define TROUPE_IO_SOCKETS_TLS_TRANSPORT_H_

#include <string>

#include "absl/time/time.h"
#include "io/io_host.h"
#include "io/io_messages.h"
#include "io/sockets/stream_messages.h"
#include "io/sockets/stream_transport.h"
#include "io/tls/tls_context.h"

namespace troupe {

struct TlsTransportOptions {
  TlsContext::Shared context;
  // A client's; empty: any server that the context trusts will do.
  std::string server_hostname = {};
  absl::Duration handshake_timeout = absl::Seconds(60);
  StreamTransportOptions stream = {};
};

// As SpawnStreamTransport. A host name that is none is said when it is asked to
// connect.
StreamTransport SpawnTlsTransport(IoHost& host, const IoActor& io,
                                  TlsTransportOptions options);

}  // namespace troupe

#endif  // TROUPE_IO_SOCKETS_TLS_TRANSPORT_H_
