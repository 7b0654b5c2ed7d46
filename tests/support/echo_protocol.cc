#include "tests/support/echo_protocol.h"

#include <utility>

#include "caf/send.hpp"
#include "caf/typed_event_based_actor.hpp"
#include "io/resident.h"

namespace troupe {
namespace {

StreamProtocol::behavior_type Echo(Resident<StreamProtocol::base>* self,
                                   StreamTransport stream,
                                   std::shared_ptr<const EchoScript> script) {
  return {
      [=](DataReceived& data) {
        if (script && script->data) script->data();
        caf::anon_send(stream,
                       Write{std::move(data.bytes), std::move(data.credit)});
      },
      [=](const ConnectionMade&) {
        if (script && script->made) script->made();
      },
      [](const EofReceived&) {},
      [](const PauseWriting&) {},
      [](const ResumeWriting&) {},
      [=](const ConnectionLost& lost) {
        if (script && script->lost) script->lost(lost);
        self->quit();
      },
  };
}

}  // namespace

StreamProtocol SpawnEcho(IoHost& host, StreamTransport stream,
                         std::shared_ptr<const EchoScript> script) {
  return SpawnResident<caf::hidden>(host, Echo, std::move(stream),
                                    std::move(script));
}

}  // namespace troupe
