// A server and its clients, all of them real (rows U12 to U20, V41, V49 to V51,
// A25, A27).
#include "io/sockets/unix_server.h"

#include <sys/socket.h>
#include <sys/uio.h>

#include <cerrno>
#include <chrono>
#include <future>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/config.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "caf/actor_cast.hpp"
#include "caf/exit_reason.hpp"
#include "caf/scoped_actor.hpp"
#include "caf/send.hpp"
#include "caf/typed_event_based_actor.hpp"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "io/os_error.h"
#include "io/owned_fd.h"
#include "io/sockets/descriptor_passing.h"
#include "io/sockets/socket_address.h"
#include "io/sockets/socket_type.h"
#include "io/sockets/stream_messages.h"
#include "io/sockets/stream_transport.h"
#include "io/sockets/unix_listener.h"
#include "io/tls/tls_context.h"
#include "tests/io/sockets/full_descriptor_table.h"
#include "tests/io/sockets/unix_server_fixture.h"
#include "tests/support/descriptors.h"

namespace troupe {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::SizeIs;

class UnixServerTest : public UnixServerFixture {};

TEST_F(UnixServerTest, EchoesToManyClients) {
  UnixServer server = Serving(Echoes());
  std::vector<OwnedFd> clients;
  for (int i = 0; i < 50; ++i) clients.push_back(Client());
  for (int i = 0; i < 50; ++i) {
    EXPECT_EQ(Echoed(clients[i], absl::StrCat("hello ", i)),
              absl::StrCat("hello ", i));
  }
  EXPECT_EQ(Info(server).accepted, 50u);
  EXPECT_THAT(Info(server).connections, SizeIs(50));
  clients.clear();
  while (!Info(server).connections.empty()) {
  }
  caf::anon_send(server, StopServing{});
}

// Rows U12, U14.
TEST_F(UnixServerTest, RefusesClientsUntilItIsStarted) {
  UnixServer server = NewServer(Echoes());
  OwnedFd client;
  EXPECT_EQ(Connect(client), ECONNREFUSED);
  EXPECT_FALSE(Info(server).serving);
  EXPECT_EQ(Answer<troupe::Serving>(server, StartServing{}), "");
  EXPECT_EQ(Answer<troupe::Serving>(server, StartServing{}), "");
  EXPECT_EQ(Connect(client), 0);
  EXPECT_EQ(Echoed(client, "x"), "x");
  EXPECT_EQ(Info(server).address.path(), path_);
  caf::anon_send(server, StopServing{});
}

// A bug: it was not answered.
TEST_F(UnixServerTest, SaysThatItCannotListen) {
  OwnedFd unbound(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  auto listener =
      UnixListener::Adopt(std::move(unbound), SocketType::kStream, 1);
  ASSERT_TRUE(listener.ok()) << listener.status();
  UnixServer server =
      SpawnUnixServer(host(), io(), *std::move(listener), Echoes());
  EXPECT_THAT(Answer<troupe::Serving>(server, StartServing{}),
              HasSubstr(ErrnoText(EINVAL)));
  caf::anon_send(server, StopServing{});
}

// Rows U16, U17, U18: those that are there go on; V50: both ends are told.
TEST_F(UnixServerTest, LeavesItsConnectionsWhenItStopsServing) {
  UnixServer server = Serving(Echoes());
  OwnedFd client = Client();
  EXPECT_EQ(Echoed(client, "x"), "x");
  auto closed = LaterOf<ServerClosed>(server, WaitClosed{});
  caf::anon_send(server, StopServing{});
  caf::anon_send(server, StopServing{});
  EXPECT_FALSE(Info(server).serving);
  EXPECT_FALSE(FileExists());
  OwnedFd other;
  EXPECT_EQ(Connect(other), ENOENT);
  EXPECT_EQ(Echoed(client, "still"), "still");
  EXPECT_EQ(closed.wait_for(std::chrono::seconds(0)),
            std::future_status::timeout);
  client.Close();
  EXPECT_EQ(closed.get().aborted, 0u);
  EXPECT_THAT(Answer<troupe::Serving>(server, StartServing{}),
              absl::StrCat("server ", path_, " is closed"));
}

// Row V51.
TEST_F(UnixServerTest, ClosesAndAbortsItsClients) {
  UnixServer server = Serving(Echoes());
  OwnedFd client = Client();
  EXPECT_EQ(Echoed(client, "x"), "x");
  caf::anon_send(server, CloseClients{});
  EXPECT_EQ(ReadFully(client, 1), "");
  OwnedFd second = Client();
  EXPECT_EQ(Echoed(second, "x"), "x");
  caf::anon_send(server, AbortClients{});
  EXPECT_EQ(ReadFully(second, 1), "");
  caf::anon_send(server, StopServing{});
}

TEST_F(UnixServerTest, LeavesClientsInTheBacklogAtItsLimit) {
  UnixServerOptions options = Echoes();
  options.max_connections = 2;
  UnixServer server = Serving(std::move(options));
  std::vector<OwnedFd> clients;
  for (int i = 0; i < 3; ++i) clients.push_back(Client());
  EXPECT_EQ(Echoed(clients[0], "a"), "a");
  EXPECT_EQ(Echoed(clients[1], "b"), "b");
  WriteFully(clients[2], "c");
  EXPECT_EQ(Info(server).accepted, 2u);
  clients[0].Close();
  EXPECT_EQ(ReadFully(clients[2], 1), "c");
  EXPECT_EQ(Info(server).accepted, 3u);
  caf::anon_send(server, DrainServer{absl::ZeroDuration()});
  EXPECT_EQ(ReadFully(clients[1], 1), "");
}

// Row U20: asyncio says nothing.
TEST_F(UnixServerTest, TellsOfAProtocolThatFailsAndGoesOn) {
  UnixServerOptions options = Echoes();
  auto echo = options.new_protocol;
  int clients = 0;
  options.new_protocol = [&](const StreamTransport& stream) {
    ++clients;
    if (clients == 1) throw std::runtime_error("no seat");
    if (clients == 2) return StreamProtocol();
    return echo(stream);
  };
  UnixServer server = Serving(std::move(options));
  for (int i = 0; i < 2; ++i) EXPECT_EQ(ReadFully(Client(), 1), "");
  EXPECT_EQ(Echoed(Client(), "x"), "x");
  ASSERT_TRUE(
      trace_->WaitFor("trouble: the protocol of a new connection: no seat"));
  ASSERT_TRUE(trace_->WaitFor(
      "trouble: the protocol of a new connection: there is none"));
  caf::anon_send(server, StopServing{});
}

// Rows U19, V41, A27.
TEST_F(UnixServerTest, WaitsWhenDescriptorsRunOutAndTellsItOnce) {
#ifdef ABSL_HAVE_ADDRESS_SANITIZER
  GTEST_SKIP() << "without a descriptor UBSan takes any object for a wrong one";
#endif
  UnixServer server = Serving(Echoes());
  std::vector<OwnedFd> clients;
  for (int i = 0; i < 3; ++i) {
    clients.emplace_back(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  }
  {
    FullDescriptorTable full;
    auto address = SocketAddress::Unix(path_);
    for (OwnedFd& client : clients) {
      ASSERT_EQ(connect(client.get(), address->data(), address->size()), 0);
    }
    EXPECT_TRUE(trace_->WaitForPrefix("trouble: "));
    WaitForTimer(*io_, absl::Seconds(1));
  }
  for (OwnedFd& client : clients) EXPECT_EQ(Echoed(client, "x"), "x");
  EXPECT_THAT(trace_->events(), ElementsAre(HasSubstr(ErrnoText(EMFILE))));
  caf::anon_send(server, StopServing{});
}

// Row A25.
TEST_F(UnixServerTest, TellsOfTheDescriptorsOfItsConnections) {
  using Both = StreamProtocol::extend<caf::reacts_to<DescriptorsReceived>>;
  UnixServerOptions options;
  options.new_protocol = [this](const StreamTransport&) {
    return system_->spawn<caf::hidden>([this](Both::pointer self) {
      return Both::behavior_type{
          [](const ConnectionMade&) {},
          [this](const DataReceived& data) {
            trace_->Add(std::string(data.bytes.view()));
          },
          [](const EofReceived&) {},
          [](const PauseWriting&) {},
          [](const ResumeWriting&) {},
          [=](const ConnectionLost&) { self->quit(); },
          [this](const DescriptorsReceived& received) {
            trace_->Add(absl::StrCat(received.descriptors.size()));
          }};
    });
  };
  options.descriptors = [](const StreamProtocol& protocol) {
    return caf::actor_cast<DescriptorReceiver>(protocol);
  };
  UnixServer server = Serving(std::move(options));
  OwnedFd client = Client();
  const iovec text = {const_cast<char*>("text"), 4};
  SendWithDescriptors(client.get(), {&text, 1}, {client.get(), client.get()});
  ASSERT_TRUE(trace_->WaitFor("text"));
  EXPECT_THAT(trace_->events(), ElementsAre("2", "text"));
  caf::anon_send(server, StopServing{});
}

TEST_F(UnixServerTest, TellsOfAReceiverOfDescriptorsThatFails) {
  UnixServerOptions options = Echoes();
  options.descriptors = [](const StreamProtocol&) -> DescriptorReceiver {
    throw std::runtime_error("out of receivers");
  };
  UnixServer server = Serving(std::move(options));
  OwnedFd client = Client();
  EXPECT_EQ(ReadFully(client, 1), "");
  ASSERT_TRUE(trace_->WaitFor(
      "trouble: the protocol of a new connection: out of receivers"));
  caf::anon_send(server, StopServing{});
}

TEST_F(UnixServerTest, DoesNotServeDescriptorsOverTls) {
  auto context = TlsContext::Client({});
  ASSERT_TRUE(context.ok()) << context.status();
  UnixServerOptions options = Echoes();
  options.tls = *context;
  options.descriptors = [](const StreamProtocol&) {
    return DescriptorReceiver();
  };
  UnixServer server = NewServer(std::move(options));
  EXPECT_EQ(Answer<troupe::Serving>(server, StartServing{}),
            "descriptors do not go through TLS");
  caf::anon_send(server, StopServing{});
}

TEST_F(UnixServerTest, RemovesItsFileWhenItIsKilled) {
  UnixServer server = Serving(Echoes());
  OwnedFd client = Client();
  EXPECT_EQ(Echoed(client, "x"), "x");
  caf::anon_send_exit(server, caf::exit_reason::kill);
  caf::scoped_actor(*system_)->wait_for(server);
  EXPECT_FALSE(FileExists());
  EXPECT_EQ(Echoed(client, "still"), "still");
}

TEST_F(UnixServerTest, EndsWithItsThread) {
  UnixServer server = Serving(Echoes());
  OwnedFd client = Client();
  EXPECT_EQ(Echoed(client, "x"), "x");
  io_->Stop();
  EXPECT_FALSE(FileExists());
  EXPECT_EQ(ReadFully(client, 1), "");
}

}  // namespace
}  // namespace troupe
