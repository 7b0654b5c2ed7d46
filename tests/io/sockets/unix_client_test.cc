// Stream transports that connect to a server (rows U22, U24, V53, A25).
#include <unistd.h>

#include <cerrno>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "caf/scoped_actor.hpp"
#include "caf/send.hpp"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "io/bytes.h"
#include "io/os_error.h"
#include "io/owned_fd.h"
#include "io/sockets/socket_address.h"
#include "io/sockets/stream_messages.h"
#include "io/sockets/stream_transport.h"
#include "io/sockets/unix_listener.h"
#include "io/sockets/unix_server.h"
#include "io/status_error.h"
#include "tests/io/sockets/unix_server_fixture.h"

namespace troupe {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class UnixClientTest : public UnixServerFixture {
 protected:
  // The error's text, or "".
  std::string Dial(const StreamTransport& stream,
                   absl::Duration timeout = absl::Seconds(20)) {
    return Answer<Connected>(stream, Request(timeout));
  }
  ConnectUnix Request(absl::Duration timeout = absl::Seconds(20)) {
    return ConnectUnix{.address = *SocketAddress::Unix(path_),
                       .protocol = NewStreamProtocol(),
                       .timeout = timeout};
  }
  StreamTransport NewStream() { return SpawnStreamTransport(host(), io()); }
};

TEST_F(UnixClientTest, TalksToAServer) {
  UnixServer server = Serving(Echoes());
  StreamTransport stream = NewStream();
  ASSERT_EQ(Dial(stream), "");
  caf::anon_send(stream, Write{Bytes("hello"), {}});
  ASSERT_TRUE(trace_->WaitFor("DR(5)"));
  EXPECT_EQ(received_, "hello");
  caf::anon_send(stream, CloseTransport{});
  ASSERT_TRUE(trace_->WaitFor("CL(None)"));
  caf::anon_send(server, StopServing{});
}

// Row U22.
TEST_F(UnixClientTest, SaysWhatItCouldNotConnectToAndWhy) {
  EXPECT_EQ(Dial(NewStream()),
            absl::StrCat("connect \"", path_, "\": ", ErrnoText(ENOENT)));
  auto listener = UnixListener::Bind({.path = path_});
  ASSERT_TRUE(listener.ok());
  EXPECT_EQ(Dial(NewStream()),
            absl::StrCat("connect \"", path_, "\": ", ErrnoText(ECONNREFUSED)));
  EXPECT_THAT(trace_->events(), ElementsAre());
}

// Rows U24, V53: asyncio reports success.
TEST_F(UnixClientTest, WaitsForRoomInTheBacklog) {
  UnixServerOptions options = Echoes();
  options.max_connections = 0;
  UnixServer full = NewServer(std::move(options), 0);
  ASSERT_EQ(Answer<troupe::Serving>(full, StartServing{}), "");
  OwnedFd first = Client();  // fills the backlog
  StreamTransport late = NewStream();
  EXPECT_EQ(Dial(late, absl::Milliseconds(30)),
            absl::StrCat("connect \"", path_,
                         "\": the server's backlog was full for 30ms"));
  auto listener_gone = LaterOf<ServerClosed>(full, WaitClosed{});
  StreamTransport patient = NewStream();
  caf::scoped_actor self(*system_);
  auto answer = self->request(patient, caf::infinite, Request());
  WaitForTimer(*io_, absl::Milliseconds(5));
  caf::anon_send(full, StopServing{});  // its socket is gone
  answer.receive([](const Connected&) { ADD_FAILURE() << "connected"; },
                 [&](const caf::error& why) {
                   EXPECT_THAT(std::string(StatusOf(why).message()),
                               HasSubstr("connect"));
                 });
  listener_gone.get();
}

TEST_F(UnixClientTest, IsConnectedWhenTheBacklogHasRoomAgain) {
  UnixServerOptions options = Echoes();
  options.max_connections = 1;
  UnixServer server = NewServer(std::move(options), 0);
  ASSERT_EQ(Answer<troupe::Serving>(server, StartServing{}), "");
  OwnedFd first = Client();
  EXPECT_EQ(Echoed(first, "x"), "x");
  OwnedFd second = Client();  // fills the backlog
  StreamTransport patient = NewStream();
  caf::scoped_actor self(*system_);
  auto answer = self->request(patient, caf::infinite, Request());
  WaitForTimer(*io_, absl::Milliseconds(5));
  first.Close();
  second.Close();
  answer.receive([](const Connected&) {},
                 [](const caf::error& why) { ADD_FAILURE() << StatusOf(why); });
  caf::anon_send(patient, Write{Bytes("hello"), {}});
  ASSERT_TRUE(trace_->WaitFor("DR(5)"));
  caf::anon_send(server, StopServing{});
  caf::anon_send(patient, CloseTransport{});
  ASSERT_TRUE(trace_->WaitFor("CL(None)"));
}

TEST_F(UnixClientTest, MayBeCalledOff) {
  UnixServerOptions options = Echoes();
  options.max_connections = 0;
  UnixServer full = NewServer(std::move(options), 0);
  ASSERT_EQ(Answer<troupe::Serving>(full, StartServing{}), "");
  OwnedFd first = Client();
  for (bool abort : {false, true}) {
    StreamTransport stream = NewStream();
    caf::scoped_actor self(*system_);
    auto answer = self->request(stream, caf::infinite, Request());
    if (abort) {
      caf::anon_send(stream, AbortTransport{});
    } else {
      caf::anon_send(stream, CloseTransport{});
    }
    answer.receive([](const Connected&) { ADD_FAILURE() << "connected"; },
                   [](const caf::error& why) {
                     EXPECT_EQ(StatusOf(why).message(),
                               "the transport is closed");
                   });
  }
  EXPECT_THAT(trace_->events(), ElementsAre());
  caf::anon_send(full, StopServing{});
}

// Row A25.
TEST_F(UnixClientTest, KnowsItsPeer) {
  UnixServer server = Serving(Echoes());
  StreamTransport stream = NewStream();
  ASSERT_EQ(Dial(stream), "");
  caf::scoped_actor self(*system_);
  self->request(stream, caf::infinite, GetPeer{})
      .receive(
          [&](const PeerInfo& peer) {
            EXPECT_EQ(peer.address.path(), path_);
            EXPECT_EQ(peer.own_address.path(), "");
            ASSERT_TRUE(peer.process.has_value());
            EXPECT_EQ(peer.process->pid, getpid());
            EXPECT_EQ(peer.process->uid, getuid());
            EXPECT_EQ(peer.process->gid, getgid());
          },
          [](const caf::error& why) { ADD_FAILURE() << StatusOf(why); });
  caf::anon_send(stream, CloseTransport{});
  ASSERT_TRUE(trace_->WaitFor("CL(None)"));
  caf::anon_send(server, StopServing{});
}

}  // namespace
}  // namespace troupe
