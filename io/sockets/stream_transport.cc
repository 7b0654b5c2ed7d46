#include "io/sockets/stream_transport.h"

#include <utility>

#include "io/resident.h"
#include "io/sockets/stream_behavior.h"
#include "io/sockets/stream_state.h"

namespace troupe {
namespace {

StreamInterface::behavior_type Behavior(
    StatefulResident<StreamInterface, StreamState>* self, IoHost* host,
    IoActor io, size_t window) {
  self->state.Init(host, std::move(io), window);
  return StreamBehavior(self, &self->state);
}

}  // namespace

StreamTransport SpawnStreamTransport(IoHost& host, const IoActor& io,
                                     StreamTransportOptions options) {
  return SpawnResident<caf::hidden>(host, Behavior, &host, io, options.window);
}

}  // namespace troupe
