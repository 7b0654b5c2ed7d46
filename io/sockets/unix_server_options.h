// How a UNIX server serves: who is told of its connections, how many there may
// be, and what they are like. Only `new_protocol` has to be given.
#ifndef TROUPE_IO_SOCKETS_UNIX_SERVER_OPTIONS_H_
#define TROUPE_IO_SOCKETS_UNIX_SERVER_OPTIONS_H_

#include <cstddef>
#include <functional>
#include <limits>

#include "absl/time/time.h"
#include "io/io_messages.h"
#include "io/sockets/stream_messages.h"
#include "io/sockets/stream_transport.h"
#include "io/tls/tls_context.h"

namespace troupe {

struct UnixServerOptions {
  // On the host's thread, for each connection, before it is made: the protocol
  // that is told of it. An exception or no protocol closes the connection.
  std::function<StreamProtocol(const StreamTransport&)> new_protocol;
  // Who is told of the descriptors that a connection brings, given its
  // protocol; often the same actor. None: nobody, they are closed. Not with
  // `tls`.
  std::function<DescriptorReceiver(const StreamProtocol&)> descriptors = {};
  // At this number it leaves clients in the backlog until one has gone.
  size_t max_connections = std::numeric_limits<size_t>::max();
  ServerOwner owner = {};  // empty: trouble is a line on stderr
  AfterEof after_eof = AfterEof::kClose;
  StreamTransportOptions transport = {};
  // A server's: each connection has TLS. Its protocol is told of it when the
  // handshake is done, and nothing if it fails; that is trouble for the owner.
  TlsContext::Shared tls = nullptr;
  absl::Duration handshake_timeout = absl::Seconds(60);
};

}  // namespace troupe

#endif  // TROUPE_IO_SOCKETS_UNIX_SERVER_OPTIONS_H_
