// Shows: a client of a UNIX server, on one of CAF's workers: half close, and
// the
//        end of the answer.
// Run:   ./bazelw run //examples:echo_client -- /tmp/echo.sock hello world
//        ./bazelw run //examples:echo_client -- --tls CA NAME /tmp/echo.sock
//        ...
// See:   each word on a line, as the server sent it back.
#include <iostream>
#include <string>
#include <vector>

#include "actors/config.h"
#include "actors/system.h"
#include "caf/actor_system.hpp"
#include "caf/send.hpp"
#include "caf/typed_event_based_actor.hpp"
#include "io/io_messages.h"
#include "io/sockets/socket_address.h"
#include "io/sockets/stream_messages.h"
#include "io/sockets/stream_transport.h"
#include "io/sockets/tls_transport.h"
#include "io/status_error.h"
#include "io/tls/tls_context.h"

namespace {

using troupe::StreamProtocol;

StreamProtocol::behavior_type Client(StreamProtocol::pointer self,
                                     troupe::StreamTransport stream,
                                     troupe::SocketAddress address,
                                     std::vector<std::string> words,
                                     int* exit_code) {
  auto fail = [=](const absl::Status& why) {
    std::cerr << "echo_client: " << why.message() << '\n';
    *exit_code = 1;
  };
  self->request(stream, caf::infinite,
                troupe::ConnectUnix{.address = address, .protocol = self})
      .then([](const troupe::Connected&) {},
            [=](const caf::error& why) {
              fail(troupe::StatusOf(why));
              self->quit();
            });
  return {
      [](const troupe::DataReceived& data) { std::cout << data.bytes.view(); },
      [=](const troupe::ConnectionMade&) {
        for (const std::string& word : words) {
          caf::anon_send(stream, troupe::Write{troupe::Bytes(word + '\n'), {}});
        }
        caf::anon_send(stream, troupe::WriteEof{});  // nothing more to say
      },
      [](const troupe::EofReceived&) {},
      [](const troupe::PauseWriting&) {},
      [](const troupe::ResumeWriting&) {},
      [=](const troupe::ConnectionLost& lost) {
        if (!lost.why.ok()) fail(lost.why);
        self->quit();
      },
  };
}

}  // namespace

int main(int argc, char** argv) {
  std::vector<std::string> words(argv + 1, argv + argc);
  troupe::TlsTransportOptions tls;
  if (words.size() > 3 && words[0] == "--tls") {
    troupe::TlsOptions options = {.ca_file = words[1]};
    if (words.size() > 5 && words[3] == "--as") {  // certificate and key
      options.certificate_chain_file = words[4];
      words.erase(words.begin() + 3, words.begin() + 5);
    }
    auto context = troupe::TlsContext::Client(options);
    if (!context.ok()) {
      std::cerr << "echo_client: " << context.status().message() << '\n';
      return 1;
    }
    tls.context = *context;
    tls.server_hostname = words[2];
    words.erase(words.begin(), words.begin() + 3);
  }
  if (words.empty()) {
    std::cerr << "usage: echo_client [--tls CA NAME [--as CERTIFICATE]] PATH "
                 "WORD...\n";
    return 2;
  }
  auto address = troupe::SocketAddress::Unix(words[0]);
  if (!address.ok()) {
    std::cerr << "echo_client: " << address.status().message() << '\n';
    return 2;
  }
  words.erase(words.begin());
  int exit_code = 0;
  troupe::Config config;
  caf::actor_system actors(config);
  {
    auto system = troupe::System::Start(actors);
    if (!system.ok()) return 1;
    troupe::IoThread& io = (*system)->io();
    troupe::StreamTransport stream =
        tls.context == nullptr
            ? troupe::SpawnStreamTransport(io.host(), io.actor())
            : troupe::SpawnTlsTransport(io.host(), io.actor(), tls);
    actors.spawn(Client, stream, *address, words, &exit_code);
  }  // ~System waits for Client
  return exit_code;
}
