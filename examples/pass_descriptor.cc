// Shows: an open descriptor that goes to another process, beside a message.
// Run:   ./bazelw run //examples:pass_descriptor -- serve /tmp/pass.sock FILE
//        and in another terminal:
//        ./bazelw run //examples:pass_descriptor -- receive /tmp/pass.sock
// See:   what is in FILE, or comes out of it (a FIFO, /dev/stdin), printed by
//        a process that did not open it.
#include <fcntl.h>

#include <iostream>
#include <stdexcept>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "actors/config.h"
#include "actors/system.h"
#include "caf/actor_system.hpp"
#include "caf/exit_reason.hpp"
#include "caf/scoped_actor.hpp"
#include "caf/send.hpp"
#include "caf/typed_event_based_actor.hpp"
#include "io/fd_ticket.h"
#include "io/owned_fd.h"
#include "io/sockets/socket_address.h"
#include "io/sockets/stream_messages.h"
#include "io/sockets/stream_transport.h"
#include "io/sockets/unix_listener.h"
#include "io/sockets/unix_server.h"
#include "io/status_error.h"

namespace {

// At either end of a stream; on a worker, because it reads to the end.
using Peer =
    troupe::StreamProtocol::extend<caf::reacts_to<troupe::DescriptorsReceived>>;

Peer::behavior_type PeerActor(Peer::pointer self,
                              troupe::StreamTransport stream,
                              troupe::FdTicket gift) {
  return {
      [=](const troupe::ConnectionMade&) {
        if (gift.number() < 0) return;  // we are at the taking end
        caf::anon_send(stream, troupe::WriteDescriptors{
                                   troupe::Bytes("a file for you\n"), {gift}});
        caf::anon_send(stream, troupe::CloseTransport{});  // when it is written
      },
      [](const troupe::DescriptorsReceived& received) {
        for (const troupe::FdTicket& ticket : received.descriptors) {
          const troupe::OwnedFd file = ticket.Take();
          char text[4096];
          ssize_t size;
          while ((size = read(file.get(), text, sizeof text)) > 0) {
            std::cout.write(text, size).flush();
          }
        }
      },
      [](const troupe::DataReceived& data) { std::cerr << data.bytes.view(); },
      [](const troupe::EofReceived&) {},
      [](const troupe::PauseWriting&) {},
      [](const troupe::ResumeWriting&) {},
      [=](const troupe::ConnectionLost&) { self->quit(); },
  };
}

absl::Status Serve(troupe::System& system, std::string path,
                   std::string file_path) {
  auto listener = troupe::UnixListener::Bind({.path = path});
  if (!listener.ok()) return listener.status();
  troupe::UnixServerOptions options;
  options.new_protocol = [&system, file_path](const auto& stream) {
    troupe::OwnedFd file(open(file_path.c_str(), O_RDONLY | O_CLOEXEC));
    if (!file.valid()) throw std::runtime_error("cannot open " + file_path);
    return system.actors().spawn(PeerActor, stream,
                                 troupe::FdTicket(std::move(file)));
  };
  auto server = troupe::SpawnUnixServer(system.io().host(), system.io().actor(),
                                        *std::move(listener), options);
  caf::anon_send(server, troupe::StartServing{});
  return system.WaitForStop();
}

absl::Status Receive(troupe::System& system, std::string path) {
  auto address = troupe::SocketAddress::Unix(path);
  if (!address.ok()) return address.status();
  troupe::IoThread& io = system.io();
  auto stream = troupe::SpawnStreamTransport(io.host(), io.actor());
  Peer peer = system.actors().spawn(PeerActor, stream, troupe::FdTicket());
  troupe::ConnectUnix connect{*address, peer};
  connect.descriptors = peer;
  absl::Status done;
  caf::scoped_actor self(system.actors());
  self->request(stream, caf::infinite, std::move(connect))
      .receive([](const troupe::Connected&) {},
               [&](const caf::error& why) {
                 done = troupe::StatusOf(why);
                 caf::anon_send_exit(peer, caf::exit_reason::kill);
               });
  return done;
}

}  // namespace

int main(int argc, char** argv) {
  const std::string role = argc > 1 ? argv[1] : "";
  if (role == "serve" ? argc != 4 : role != "receive" || argc != 3) {
    std::cerr << "usage: pass_descriptor serve PATH FILE | receive PATH\n";
    return 2;
  }
  troupe::Config config;
  caf::actor_system actors(config);
  auto system = troupe::System::Start(actors);
  absl::Status done = system.status();
  if (done.ok()) {
    done = role == "serve" ? Serve(**system, argv[2], argv[3])
                           : Receive(**system, argv[2]);
  }
  if (!done.ok()) std::cerr << "pass_descriptor: " << done.message() << '\n';
  return done.ok() ? 0 : 1;  // ~System waits for the peer
}
