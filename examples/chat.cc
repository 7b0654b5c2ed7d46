// Shows: many clients in one room: lines cut out of streams, one actor that
//        knows them all, and a client that is too slow to hear.
// Run:   ./bazelw run //examples:chat -- /tmp/chat.sock
//        and in other terminals: nc -U /tmp/chat.sock
// See:   what one says, the others hear; who comes and who goes.
#include <iostream>
#include <map>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "actors/config.h"
#include "actors/system.h"
#include "caf/actor_addr.hpp"
#include "caf/actor_system.hpp"
#include "caf/send.hpp"
#include "caf/typed_event_based_actor.hpp"
#include "io/framing/separator_framer.h"
#include "io/resident.h"
#include "io/sockets/stream_messages.h"
#include "io/sockets/unix_listener.h"
#include "io/sockets/unix_server.h"
#include "io/status_error.h"

namespace {

// The protocol of every client: the room is told who sends by its sender, the
// client's transport.
struct Room {
  struct Guest {
    std::string name;
    troupe::StreamTransport stream;
    troupe::SeparatorFramer lines;
    bool slow = false;  // does not hear until it has read what it was told
  };
  explicit Room(troupe::StreamProtocol::stateful_base<Room>*) {}

  Guest* Find(const caf::strong_actor_ptr& who) {
    auto found = guests.find(caf::actor_cast<caf::actor_addr>(who));
    return found == guests.end() ? nullptr : &found->second;
  }
  void Say(const std::string& text) {
    const troupe::Bytes line = troupe::Bytes::Copy(text + "\n");
    for (auto& [address, guest] : guests) {
      if (!guest.slow) caf::anon_send(guest.stream, troupe::Write{line, {}});
    }
  }
  std::map<caf::actor_addr, Guest> guests;
  int last_number = 0;
};

using RoomActor = troupe::StatefulResident<troupe::StreamProtocol, Room>;

troupe::StreamProtocol::behavior_type RoomBehavior(RoomActor* self) {
  Room* room = &self->state;
  auto guest = [=] { return room->Find(self->current_sender()); };
  return {
      [=](troupe::DataReceived& data) {
        Room::Guest* from = guest();
        while (auto line = from->lines.Next(data.bytes)) {
          const bool whole = line->kind == troupe::Frame::Kind::kComplete;
          room->Say(absl::StrCat(from->name, ": ", line->bytes.view(),
                                 whole ? "" : " ..."));
        }
      },
      [=](const troupe::ConnectionMade&) {
        auto stream =
            caf::actor_cast<troupe::StreamTransport>(self->current_sender());
        auto lines = troupe::SeparatorFramer::Create(
            {.ending = troupe::SeparatorFramer::Ending::kCutWithCr,
             .limit = 1000});
        std::string name = absl::StrCat("guest ", ++room->last_number);
        room->guests.emplace(stream.address(),
                             Room::Guest{name, stream, *std::move(lines)});
        room->Say(name + " comes");
      },
      [](const troupe::EofReceived&) {},
      [=](const troupe::PauseWriting&) { guest()->slow = true; },
      [=](const troupe::ResumeWriting&) { guest()->slow = false; },
      [=](const troupe::ConnectionLost&) {
        std::string name = guest()->name;
        room->guests.erase(self->current_sender()->address());
        room->Say(name + " goes");
      },
  };
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::cerr << "usage: chat PATH\n";
    return 2;
  }
  troupe::Config config;
  caf::actor_system actors(config);
  auto system = troupe::System::Start(actors);
  auto listener = troupe::UnixListener::Bind({.path = argv[1]});
  if (!system.ok() || !listener.ok()) {
    std::cerr << "chat: "
              << (system.ok() ? listener.status() : system.status()).message()
              << '\n';
    return 1;
  }
  troupe::IoThread& io = (*system)->io();
  troupe::StreamProtocol room =
      troupe::SpawnResident<caf::hidden>(io.host(), RoomBehavior);
  troupe::UnixServerOptions options;
  options.new_protocol = [=](const troupe::StreamTransport&) { return room; };
  caf::anon_send(
      troupe::SpawnUnixServer(io.host(), io.actor(), *std::move(listener),
                              std::move(options)),
      troupe::StartServing{});
  return (*system)->WaitForStop().ok() ? 0 : 1;
}
