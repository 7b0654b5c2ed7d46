// What a server makes for a connection before it is made: its transport, plain
// or with TLS, and who is told of it.
//
//   auto served = NewServedConnection(host, io, options);
//   if (!served.ok()) ... the connection is closed ...
//   ConnectStream{FdTicket(fd), served->protocol, ...} -> served->stream
//
// The options' functions are the user's: an exception of theirs, or no
// protocol, is an error (row U20), and the transport goes again. The host's
// thread.
#ifndef TROUPE_IO_SOCKETS_SERVED_CONNECTION_H_
#define TROUPE_IO_SOCKETS_SERVED_CONNECTION_H_

#include "absl/status/statusor.h"
#include "io/io_host.h"
#include "io/io_messages.h"
#include "io/sockets/stream_messages.h"
#include "io/sockets/unix_server_options.h"

namespace troupe {

struct ServedConnection {
  StreamTransport stream;
  StreamProtocol protocol;
  DescriptorReceiver descriptors;  // empty: nobody is told of them
};

absl::StatusOr<ServedConnection> NewServedConnection(
    IoHost& host, const IoActor& io, const UnixServerOptions& options);

}  // namespace troupe

#endif  // TROUPE_IO_SOCKETS_SERVED_CONNECTION_H_
