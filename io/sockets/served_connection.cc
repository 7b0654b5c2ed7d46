#include "io/sockets/served_connection.h"

#include <exception>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "caf/send.hpp"
#include "io/sockets/stream_transport.h"
#include "io/sockets/tls_transport.h"

namespace troupe {
namespace {

StreamTransport NewTransport(IoHost& host, const IoActor& io,
                             const UnixServerOptions& options) {
  if (options.tls == nullptr) {
    return SpawnStreamTransport(host, io, options.transport);
  }
  return SpawnTlsTransport(host, io,
                           {.context = options.tls,
                            .handshake_timeout = options.handshake_timeout,
                            .stream = options.transport});
}

}  // namespace

absl::StatusOr<ServedConnection> NewServedConnection(
    IoHost& host, const IoActor& io, const UnixServerOptions& options) {
  ServedConnection served;
  served.stream = NewTransport(host, io, options);
  std::string why = "there is none";
  try {
    served.protocol = options.new_protocol(served.stream);
    if (served.protocol && options.descriptors) {
      served.descriptors = options.descriptors(served.protocol);
    }
    if (served.protocol) return served;
  } catch (const std::exception& e) {
    why = e.what();
  } catch (...) {
    why = "an exception of no known type";
  }
  caf::anon_send(served.stream, AbortTransport{});
  return absl::InternalError(
      absl::StrCat("the protocol of a new connection: ", why));
}

}  // namespace troupe
