// A server and its clients, all of them real (rows U12 to U24, V41, V49 to
// V51, A26, A27).
#include "io/sockets/unix_server.h"

#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <future>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/config.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
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
#include "io/sockets/stream_transport.h"
#include "io/sockets/unix_listener.h"
#include "io/status_error.h"
#include "io/tls/tls_context.h"
#include "tests/io/sockets/full_descriptor_table.h"
#include "tests/support/descriptors.h"
#include "tests/support/echo_protocol.h"
#include "tests/support/scratch_folder.h"
#include "tests/support/stream_fixture.h"

namespace troupe {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::SizeIs;

class UnixServerTest : public StreamTest {
 protected:
  UnixServerOptions Echoes() {
    UnixServerOptions options;
    options.new_protocol = [this](const StreamTransport& stream) {
      return SpawnEcho(host(), stream);
    };
    options.owner = Owner();
    return options;
  }
  ServerOwner Owner() {
    return system_->spawn<caf::hidden>([this](ServerOwner::pointer) {
      return ServerOwner::behavior_type{[this](const ServerTrouble& trouble) {
        trace_->Add(absl::StrCat("trouble: ", trouble.why.message()));
      }};
    });
  }
  UnixServer NewServer(UnixServerOptions options, int backlog = 100) {
    auto listener = UnixListener::Bind({.path = path_, .backlog = backlog});
    EXPECT_TRUE(listener.ok()) << listener.status();
    return SpawnUnixServer(host(), io(), *std::move(listener),
                           std::move(options));
  }
  UnixServer Serving(UnixServerOptions options, int backlog = 100) {
    UnixServer server = NewServer(std::move(options), backlog);
    EXPECT_EQ(Answer<troupe::Serving>(server, StartServing{}), "");
    return server;
  }

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
  ServerInfo Info(const UnixServer& server) {
    ServerInfo info;
    caf::scoped_actor self(*system_);
    self->request(server, caf::infinite, GetServerInfo{})
        .receive([&](const ServerInfo& got) { info = got; },
                 [](const caf::error& why) { ADD_FAILURE() << StatusOf(why); });
    return info;
  }

  // A plain client, blocking; its error, or 0.
  int Connect(OwnedFd& client) {
    client = OwnedFd(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    auto address = SocketAddress::Unix(path_);
    return connect(client.get(), address->data(), address->size()) == 0 ? 0
                                                                        : errno;
  }
  OwnedFd Client() {
    OwnedFd client;
    EXPECT_EQ(Connect(client), 0);
    return client;
  }
  static std::string Echoed(const OwnedFd& client, const std::string& text) {
    WriteFully(client, text);
    return ReadFully(client, text.size());
  }
  bool FileExists() {
    struct stat file;
    return lstat(path_.c_str(), &file) == 0;
  }

  ScratchFolder folder_;
  const std::string path_ = folder_.PathOf("socket");
};

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

// Row A26: a client that does not read holds its connection up.
class DrainTest : public UnixServerTest {
 protected:
  // Each client is sent as many bytes.
  static constexpr size_t kSent = 1 << 22;
  UnixServer ServingMuch() {
    UnixServerOptions options = Echoes();
    options.new_protocol = [this](const StreamTransport& stream) {
      caf::anon_send(stream, Write{Bytes(std::string(kSent, 'x')), {}});
      return SpawnEcho(host(), stream);
    };
    return Serving(std::move(options));
  }
};

TEST_F(DrainTest, WaitsForClientsThatRead) {
  UnixServer server = ServingMuch();
  OwnedFd one = Client(), other = Client();
  ReadFully(other, 1);
  auto drained = LaterOf<ServerClosed>(server, DrainServer{absl::Hours(1)});
  EXPECT_EQ(ReadFully(one, 2 * kSent).size(), kSent);
  EXPECT_EQ(ReadFully(other, 2 * kSent).size(), kSent - 1);
  EXPECT_EQ(drained.get().aborted, 0u);
}

TEST_F(DrainTest, AbortsWhoDoesNotReadAtItsDeadline) {
  UnixServer server = ServingMuch();
  OwnedFd bad = Client();
  ReadFully(bad, 1);
  auto drained =
      LaterOf<ServerClosed>(server, DrainServer{absl::Milliseconds(50)});
  EXPECT_EQ(drained.get().aborted, 1u);
}

TEST_F(UnixServerTest, IsDrainedAtOnceWithoutClients) {
  UnixServer server = Serving(Echoes());
  EXPECT_EQ(
      LaterOf<ServerClosed>(server, DrainServer{absl::Hours(1)}).get().aborted,
      0u);
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

// -- our own clients ----------------------------------------------------------

class UnixClientTest : public UnixServerTest {
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
