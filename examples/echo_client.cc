// Shows: a client of a UNIX server, on one of CAF's workers: half close, and
// the
//        end of the answer.
// Run:   ./bazelw run //examples:echo_client -- /tmp/echo.sock hello world
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
#include "io/status_error.h"

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
  if (argc < 2) {
    std::cerr << "usage: echo_client PATH WORD...\n";
    return 2;
  }
  auto address = troupe::SocketAddress::Unix(argv[1]);
  if (!address.ok()) {
    std::cerr << "echo_client: " << address.status().message() << '\n';
    return 2;
  }
  int exit_code = 0;
  troupe::Config config;
  caf::actor_system actors(config);
  {
    auto system = troupe::System::Start(actors);
    if (!system.ok()) return 1;
    troupe::IoThread& io = (*system)->io();
    actors.spawn(Client, troupe::SpawnStreamTransport(io.host(), io.actor()),
                 *address, std::vector<std::string>(argv + 2, argv + argc),
                 &exit_code);
  }  // ~System waits for Client
  return exit_code;
}
