#include "tests/support/stream_fixture.h"

#include <utility>

#include "caf/typed_event_based_actor.hpp"
#include "io/fd_ticket.h"
#include "io/resident.h"

namespace troupe {
namespace {

StreamProtocol::behavior_type Handlers(const ProtocolNotes& notes) {
  return {
      [=](const ConnectionMade&) { notes.Made(); },
      [=](DataReceived& data) { notes.Data(data); },
      [=](const EofReceived&) { notes.Eof(); },
      [=](const PauseWriting&) { notes.Paused(); },
      [=](const ResumeWriting&) { notes.Resumed(); },
      [=](const ConnectionLost& lost) { notes.Lost(lost); },
  };
}

StreamProtocol::behavior_type OnWorker(StreamProtocol::pointer self,
                                       ProtocolNotes notes) {
  EndQuietly(self);
  return Handlers(notes);
}

StreamProtocol::behavior_type OnHost(Resident<StreamProtocol::base>*,
                                     ProtocolNotes notes) {
  return Handlers(notes);
}

}  // namespace

StreamProtocol StreamTest::NewStreamProtocol(ProtocolScript script) {
  return system_->spawn<caf::hidden>(
      OnWorker, ProtocolNotes{trace_, &received_, std::move(script)});
}

StreamProtocol StreamTest::NewResidentStreamProtocol(ProtocolScript script) {
  return SpawnResident<caf::hidden>(
      host(), OnHost, ProtocolNotes{trace_, &received_, std::move(script)});
}

std::string StreamTest::Connect(const StreamTransport& transport, OwnedFd fd,
                                StreamProtocol protocol, AfterEof after_eof) {
  return Answer<Connected>(
      transport, ConnectStream{FdTicket(std::move(fd)), std::move(protocol),
                               NewOwner(), after_eof});
}

}  // namespace troupe
