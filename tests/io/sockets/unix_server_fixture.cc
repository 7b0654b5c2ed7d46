#include "tests/io/sockets/unix_server_fixture.h"

#include <sys/socket.h>
#include <sys/stat.h>

#include <cerrno>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "caf/scoped_actor.hpp"
#include "caf/typed_event_based_actor.hpp"
#include "gtest/gtest.h"
#include "io/owned_fd.h"
#include "io/sockets/socket_address.h"
#include "io/sockets/stream_transport.h"
#include "io/sockets/unix_listener.h"
#include "io/sockets/unix_server.h"
#include "io/status_error.h"
#include "tests/support/descriptors.h"
#include "tests/support/echo_protocol.h"

namespace troupe {

UnixServerOptions UnixServerFixture::Echoes() {
  UnixServerOptions options;
  options.new_protocol = [this](const StreamTransport& stream) {
    return SpawnEcho(host(), stream);
  };
  options.owner = Owner();
  return options;
}

ServerOwner UnixServerFixture::Owner() {
  return system_->spawn<caf::hidden>([this](ServerOwner::pointer) {
    return ServerOwner::behavior_type{[this](const ServerTrouble& trouble) {
      trace_->Add(absl::StrCat("trouble: ", trouble.why.message()));
    }};
  });
}

UnixServer UnixServerFixture::NewServer(UnixServerOptions options,
                                        int backlog) {
  auto listener = UnixListener::Bind({.path = path_, .backlog = backlog});
  EXPECT_TRUE(listener.ok()) << listener.status();
  return SpawnUnixServer(host(), io(), *std::move(listener),
                         std::move(options));
}

UnixServer UnixServerFixture::Serving(UnixServerOptions options, int backlog) {
  UnixServer server = NewServer(std::move(options), backlog);
  EXPECT_EQ(Answer<troupe::Serving>(server, StartServing{}), "");
  return server;
}

ServerInfo UnixServerFixture::Info(const UnixServer& server) {
  ServerInfo info;
  caf::scoped_actor self(*system_);
  self->request(server, caf::infinite, GetServerInfo{})
      .receive([&](const ServerInfo& got) { info = got; },
               [](const caf::error& why) { ADD_FAILURE() << StatusOf(why); });
  return info;
}

int UnixServerFixture::Connect(OwnedFd& client) {
  client = OwnedFd(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  auto address = SocketAddress::Unix(path_);
  return connect(client.get(), address->data(), address->size()) == 0 ? 0
                                                                      : errno;
}

OwnedFd UnixServerFixture::Client() {
  OwnedFd client;
  EXPECT_EQ(Connect(client), 0);
  return client;
}

std::string UnixServerFixture::Echoed(const OwnedFd& client,
                                      const std::string& text) {
  WriteFully(client, text);
  return ReadFully(client, text.size());
}

bool UnixServerFixture::FileExists() {
  struct stat file;
  return lstat(path_.c_str(), &file) == 0;
}

}  // namespace troupe
