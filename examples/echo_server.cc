// Shows: a UNIX server whose connections are actors; draining on Ctrl-C.
// Run:   ./bazelw run //examples:echo_server -- /tmp/echo.sock
//        ./bazelw run //examples:echo_server -- /tmp/echo.sock --tls CERT KEY
//        then nc -U, socat, openssl s_client -unix, or examples/echo_client.cc
// See:   who connects; on SIGTERM the connections get a second to end.
#include <iostream>
#include <string>
#include <utility>

#include "absl/time/time.h"
#include "actors/config.h"
#include "actors/system.h"
#include "caf/actor_system.hpp"
#include "caf/send.hpp"
#include "caf/typed_event_based_actor.hpp"
#include "io/resident.h"
#include "io/sockets/stream_messages.h"
#include "io/sockets/unix_listener.h"
#include "io/sockets/unix_server.h"
#include "io/status_error.h"
#include "io/tls/tls_context.h"
#include "signals/signal_messages.h"
#include "signals/stop_on_signals.h"

namespace {

// One for each connection, on the I/O thread. The credit goes back when the
// bytes are written: a client that does not read is not read either.
troupe::StreamProtocol::behavior_type Echo(
    troupe::Resident<troupe::StreamProtocol::base>* self,
    troupe::StreamTransport stream) {
  return {
      [=](troupe::DataReceived& data) {
        caf::anon_send(stream, troupe::Write{std::move(data.bytes),
                                             std::move(data.credit)});
      },
      [=](const troupe::ConnectionMade&) {
        self->request(stream, caf::infinite, troupe::GetPeer{})
            .then([](const troupe::PeerInfo& peer) {
              if (peer.process)
                std::cout << "pid " << peer.process->pid << std::endl;
            });
      },
      [](const troupe::EofReceived&) {},  // what was written still goes out
      [](const troupe::PauseWriting&) {},
      [](const troupe::ResumeWriting&) {},
      [=](const troupe::ConnectionLost& lost) {
        if (!lost.why.ok()) std::cerr << lost.why.message() << '\n';
        self->quit();
      },
  };
}

// Starts the server, and drains it when a signal asks to stop.
troupe::StopObserver::behavior_type MainActor(
    troupe::StopObserver::pointer self, troupe::System* system,
    troupe::SignalRelay relay, troupe::UnixServer server) {
  troupe::SpawnStopOnSignals(system->io().host(), system->io().actor(), relay,
                             {}, self);
  self->request(server, caf::infinite, troupe::StartServing{})
      .then([](const troupe::Serving&) { std::cout << "serving" << std::endl; },
            [=](const caf::error& why) {
              std::cerr << troupe::StatusOf(why).message() << '\n';
              self->quit();
            });
  auto drain = [=](absl::Duration deadline) {
    self->request(server, caf::infinite, troupe::DrainServer{deadline})
        .then([=](const troupe::ServerClosed& closed) {
          std::cout << "closed, " << closed.aborted << " aborted" << std::endl;
          self->quit();
        });
  };
  return {
      [](const troupe::StopOnSignalsReady&) {},
      [=](const troupe::StopRequested&) { drain(absl::Seconds(1)); },
      [=](const troupe::StopForced&) { drain(absl::ZeroDuration()); },
  };
}

int Fail(const absl::Status& why) {
  std::cerr << "echo_server: " << why.message() << '\n';
  return 1;
}

}  // namespace

int main(int argc, char** argv) {
  const bool tls = (argc == 5 || argc == 6) && argv[2] == std::string("--tls");
  if (argc != 2 && !tls) {
    std::cerr << "usage: echo_server PATH [--tls CERT KEY [CLIENT-CA]]\n";
    return 2;
  }
  troupe::Config config;
  caf::actor_system actors(config);
  auto system = troupe::System::Start(actors);
  if (!system.ok()) return Fail(system.status());
  auto relay = (*system)->Signals();
  if (!relay.ok()) return Fail(relay.status());
  auto listener = troupe::UnixListener::Bind({.path = argv[1]});
  if (!listener.ok()) return Fail(listener.status());
  troupe::IoThread& io = (*system)->io();
  troupe::UnixServerOptions options;
  options.new_protocol = [&io](const troupe::StreamTransport& stream) {
    return troupe::SpawnResident<caf::hidden>(io.host(), Echo, stream);
  };
  if (tls) {
    auto context =
        troupe::TlsContext::Server({.certificate_chain_file = argv[3],
                                    .private_key_file = argv[4],
                                    .ca_file = argc == 6 ? argv[5] : "",
                                    .require_client_certificate = argc == 6});
    if (!context.ok()) return Fail(context.status());
    options.tls = *context;
  }
  actors.spawn(
      MainActor, system->get(), *relay,
      troupe::SpawnUnixServer(io.host(), io.actor(), *std::move(listener),
                              std::move(options)));
}  // ~System waits for MainActor
