#include "io/sockets/tls_transport.h"

#include <utility>

#include "io/resident.h"
#include "io/sockets/stream_behavior.h"
#include "io/sockets/tls_state.h"

namespace troupe {
namespace {

StreamInterface::behavior_type Behavior(
    StatefulResident<StreamInterface, TlsState>* self, IoHost* host, IoActor io,
    TlsTransportOptions options) {
  self->state.Init(host, std::move(io), std::move(options));
  return StreamBehavior(self, &self->state);
}

}  // namespace

StreamTransport SpawnTlsTransport(IoHost& host, const IoActor& io,
                                  TlsTransportOptions options) {
  return SpawnResident<caf::hidden>(host, Behavior, &host, io,
                                    std::move(options));
}

}  // namespace troupe
