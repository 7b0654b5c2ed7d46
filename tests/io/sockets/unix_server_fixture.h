// A server that echoes, in a folder of its own, and plain clients.
#ifndef TROUPE_TESTS_IO_SOCKETS_UNIX_SERVER_FIXTURE_H_
#define TROUPE_TESTS_IO_SOCKETS_UNIX_SERVER_FIXTURE_H_

#include <future>
#include <memory>
#include <string>

#include "caf/event_based_actor.hpp"
#include "io/owned_fd.h"
#include "io/sockets/unix_server.h"
#include "tests/support/scratch_folder.h"
#include "tests/support/stream_fixture.h"

namespace troupe {

class UnixServerFixture : public StreamTest {
 protected:
  UnixServerOptions Echoes();
  ServerOwner Owner();
  UnixServer NewServer(UnixServerOptions options, int backlog = 100);
  UnixServer Serving(UnixServerOptions options, int backlog = 100);

  template <class T, class Request>
  std::future<T> LaterOf(const UnixServer& server, Request request) {
    auto promise = std::make_shared<std::promise<T>>();
    system_->spawn<caf::hidden>([=](caf::event_based_actor* self) {
      self->request(server, caf::infinite, request).then([=](const T& answer) {
        promise->set_value(answer);
      });
    });
    return promise->get_future();
  }
  ServerInfo Info(const UnixServer& server);

  // A plain client, blocking; its error, or 0.
  int Connect(OwnedFd& client);
  OwnedFd Client();
  static std::string Echoed(const OwnedFd& client, const std::string& text);
  bool FileExists();

  ScratchFolder folder_;
  const std::string path_ = folder_.PathOf("socket");
};

}  // namespace troupe

#endif  // TROUPE_TESTS_IO_SOCKETS_UNIX_SERVER_FIXTURE_H_
