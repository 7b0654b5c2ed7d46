#include "tests/benchmarks/troupe/stream_echo.h"

#include <cstdlib>
#include <optional>
#include <utility>

#include "caf/scoped_actor.hpp"
#include "caf/stateful_actor.hpp"
#include "caf/typed_event_based_actor.hpp"
#include "io/direct_handlers.h"
#include "io/direct_line.h"
#include "io/fd_ticket.h"
#include "io/io_messages.h"
#include "io/owned_fd.h"
#include "io/resident.h"
#include "io/sockets/stream_messages.h"
#include "io/sockets/stream_transport.h"

namespace troupe {
namespace {

struct EchoState {
  static constexpr const char* name = "echo";

  EchoState() = default;  // CAF gives an aggregate the actor

  void HandleDirectly(DataReceived& data) {
    stream->Send(Write{std::move(data.bytes), std::move(data.credit)});
  }

  std::optional<DirectLine> stream;
};

StreamProtocol::behavior_type EchoActor(
    StatefulResident<StreamProtocol, EchoState>* self,
    const StreamTransport& stream, std::counting_semaphore<>* lost) {
  self->state.stream.emplace(stream, self->host());
  self->SetDirectHandlers(DirectHandlers::For<EchoState, DataReceived>(),
                          &self->state);
  return {
      [self](DataReceived& data) { self->state.HandleDirectly(data); },
      [](const ConnectionMade&) {},
      [](const EofReceived&) {},
      [](const PauseWriting&) {},
      [](const ResumeWriting&) {},
      [=](const ConnectionLost&) {
        lost->release();
        self->quit();
      },
  };
}

}  // namespace

StreamEcho::StreamEcho(const std::vector<int>& sockets)
    : StreamEcho(sockets, [](IoThread& io) {
        return SpawnStreamTransport(io.host(), io.actor());
      }) {}

StreamEcho::StreamEcho(const std::vector<int>& sockets, const Spawn& spawn)
    : system_(*System::Start(actors_)), connections_(sockets.size()) {
  IoThread& io = system_->io();
  caf::scoped_actor self(actors_);
  for (int fd : sockets) {
    StreamTransport stream = spawn(io);
    StreamProtocol protocol =
        SpawnResident<caf::hidden>(io.host(), EchoActor, stream, &lost_);
    self->request(stream, caf::infinite,
                  ConnectStream{FdTicket(OwnedFd(fd)), protocol})
        .receive([](const Connected&) {}, [](const caf::error&) { abort(); });
  }
}

void StreamEcho::Run() {
  for (size_t i = 0; i < connections_; ++i) lost_.acquire();
}

}  // namespace troupe
