// A client that sends garbage, stops in the handshake, never reads, resets,
// leaves or half closes harms only itself: next to each of them a good one
// exchanges a thousand messages, and hears of nothing else (rows U12, U26,
// U33, V51). The fixture compares the descriptors.
#include <poll.h>
#include <sys/socket.h>

#include <atomic>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "caf/scoped_actor.hpp"
#include "caf/send.hpp"
#include "caf/typed_event_based_actor.hpp"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "io/block_pool.h"
#include "io/read_buffer.h"
#include "io/resident.h"
#include "io/sockets/stream_transport.h"
#include "io/sockets/tls_transport.h"
#include "io/sockets/unix_listener.h"
#include "io/sockets/unix_server.h"
#include "io/status_error.h"
#include "io/tls/tls_context.h"
#include "tests/io/sockets/raw_client.h"
#include "tests/support/certificates.h"
#include "tests/support/descriptors.h"
#include "tests/support/echo_protocol.h"
#include "tests/support/stream_fixture.h"
#include "tests/support/unix_sockets.h"

namespace troupe {
namespace {

using ::testing::AnyOf;
using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr size_t kWindow = 64 * 1024;
constexpr int kMessages = 1000;

// Sends a message, waits for it, sends the next: a thousand, and more until it
// is enough.
StreamProtocol::behavior_type GoodClient(Resident<StreamProtocol::base>* self,
                                         StreamTransport stream,
                                         std::shared_ptr<Trace> trace,
                                         const std::atomic<bool>* enough) {
  struct State {
    int sent = 0;
    std::string expected;
  };
  auto state = std::make_shared<State>();
  auto next = [=] {
    state->expected = absl::StrCat("message ", ++state->sent);
    caf::anon_send(stream, Write{Bytes(state->expected), {}});
  };
  return {
      [=](const ConnectionMade&) {
        trace->Add("good CM");
        next();
      },
      [=](DataReceived& data) {
        if (!absl::StartsWith(state->expected, data.bytes.view())) {
          trace->Add("good: not what was sent");
        }
        state->expected.erase(0, data.bytes.size());
        if (!state->expected.empty()) return;
        if (state->sent < kMessages || !*enough) return next();
        trace->Add("good: all are back");
      },
      [=](const EofReceived&) { trace->Add("good EOF"); },
      [=](const PauseWriting&) { trace->Add("good PAUSE"); },
      [=](const ResumeWriting&) { trace->Add("good RESUME"); },
      [=](const ConnectionLost& lost) {
        trace->Add(absl::StrCat("good CL: ", lost.why.ToString()));
        self->quit();
      },
  };
}

class MisbehavingClients : public StreamTest {
 protected:
  explicit MisbehavingClients(bool tls) : tls_(tls) {}

  std::shared_ptr<const EchoScript> NoteLost(int number) {
    auto script = std::make_shared<EchoScript>();
    script->lost = [number, trace = trace_](const ConnectionLost& lost) {
      trace->Add(absl::StrCat("client ", number, " lost: ",
                              lost.why.ok() ? "None" : lost.why.message()));
    };
    return script;
  }

  // The good client is number 0, and begins.
  void Start(AfterEof after_eof = AfterEof::kClose,
             absl::Duration handshake_timeout = absl::Seconds(60)) {
    MakeContexts();
    auto listener = UnixListener::Adopt(ListenAt(address_, 128));
    ASSERT_TRUE(listener.ok()) << listener.status();
    server_ = SpawnUnixServer(host(), io(), *std::move(listener),
                              {.new_protocol =
                                   [this](const StreamTransport& stream) {
                                     return SpawnEcho(host(), stream,
                                                      NoteLost(clients_++));
                                   },
                               .owner = Owner(),
                               .after_eof = after_eof,
                               .transport = {.window = kWindow},
                               .tls = server_context_,
                               .handshake_timeout = handshake_timeout});
    ASSERT_EQ(Answer<Serving>(server_, StartServing{}), "");
    good_ = tls_ ? SpawnTlsTransport(host(), io(), {.context = context_})
                 : SpawnStreamTransport(host(), io());
    ASSERT_EQ(Answer<Connected>(
                  good_, ConnectUnix{address_, SpawnResident<caf::hidden>(
                                                   host(), GoodClient, good_,
                                                   good_trace_, &enough_)}),
              "");
  }
  void Finish() {
    enough_ = true;
    ASSERT_TRUE(good_trace_->WaitFor("good: all are back"));
    caf::anon_send(good_, CloseTransport{});
    ASSERT_TRUE(good_trace_->WaitForPrefix("good CL"));
    EXPECT_THAT(good_trace_->events(),
                ElementsAre("good CM", "good: all are back", "good CL: OK"));
    EXPECT_EQ(LossOf(0), "None");
    caf::anon_send(server_, StopServing{});
    EXPECT_EQ(Answer<ServerClosed>(server_, WaitClosed{}), "");
  }

  RawClient NewClient() { return RawClient(address_, context_); }
  // One that has been served.
  RawClient ServedClient() {
    RawClient client = NewClient();
    client.ShakeHands();
    client.Say("served");
    EXPECT_EQ(client.Hear(6), "served");
    return client;
  }

  // What the protocol of the n-th client was told at the end.
  std::string LossOf(int n) {
    const std::string prefix = absl::StrCat("client ", n, " lost: ");
    if (!trace_->WaitForPrefix(prefix)) return "nothing";
    for (const std::string& event : trace_->events()) {
      if (absl::StartsWith(event, prefix)) return event.substr(prefix.size());
    }
    return "nothing";
  }
  std::vector<std::string> Troubles() {
    std::vector<std::string> troubles;
    for (const std::string& event : trace_->events()) {
      if (absl::StartsWith(event, "trouble: ")) troubles.push_back(event);
    }
    return troubles;
  }
  bool WaitForTroubles(size_t count) {
    return trace_->WaitUntil([=](const std::vector<std::string>& events) {
      size_t n = 0;
      for (const std::string& event : events) {
        n += absl::StartsWith(event, "trouble: ");
      }
      return n == count;
    });
  }

  ServerInfo Info() {
    ServerInfo info;
    caf::scoped_actor self(*system_);
    self->request(server_, caf::infinite, GetServerInfo{})
        .receive([&](const ServerInfo& got) { info = got; },
                 [](const caf::error& why) { ADD_FAILURE() << StatusOf(why); });
    return info;
  }

  const bool tls_;
  const SocketAddress address_ = FreshAddress();
  std::shared_ptr<Trace> good_trace_ = std::make_shared<Trace>();
  std::atomic<bool> enough_{false};
  StreamTransport good_;
  UnixServer server_;
  int clients_ = 0;  // the I/O thread's

 private:
  void MakeContexts() {
    if (!tls_) return;
    const IssuedCertificate issued = ca_.Issue({.name = "server"});
    auto server =
        TlsContext::Server({.certificate_chain_file = issued.chain_file,
                            .private_key_file = issued.key_file});
    auto client = TlsContext::Client({.ca_file = ca_.certificate_file()});
    ASSERT_TRUE(server.ok() && client.ok());
    server_context_ = *server;
    context_ = *client;
  }
  ServerOwner Owner() {
    return system_->spawn<caf::hidden>(
        [trace = trace_](ServerOwner::pointer) -> ServerOwner::behavior_type {
          return {[=](const ServerTrouble& trouble) {
            trace->Add(absl::StrCat("trouble: ", trouble.why.message()));
          }};
        });
  }

  const CertificateAuthority ca_{"CA"};
  TlsContext::Shared server_context_;
  TlsContext::Shared context_;
};

class MisbehavingClientsTest : public MisbehavingClients,
                               public ::testing::WithParamInterface<bool> {
 protected:
  MisbehavingClientsTest() : MisbehavingClients(GetParam()) {}
};

INSTANTIATE_TEST_SUITE_P(Streams, MisbehavingClientsTest, ::testing::Bool(),
                         [](const auto& info) {
                           return info.param ? "Tls" : "Plain";
                         });

class MisbehavingTlsClientsTest : public MisbehavingClients {
 protected:
  MisbehavingTlsClientsTest() : MisbehavingClients(/*tls=*/true) {}
};

// -- handshakes ---------------------------------------------------------------

TEST_F(MisbehavingTlsClientsTest, GarbageInsteadOfAHandshake) {
  Start();
  for (const char* garbage : {"GET / HTTP/1.1\r\n\r\n", "EHLO example.org\r\n",
                              "\x16\x03\x01\xff"
                              "\xff garbage"}) {
    RawClient client = NewClient();
    WriteFully(client.fd(), garbage);
    shutdown(client.fd().get(), SHUT_WR);
    WaitForHangUp(client.fd());
  }
  ASSERT_TRUE(WaitForTroubles(3));
  EXPECT_THAT(Troubles(), Each(HasSubstr("trouble: TLS handshake: ")));
  Finish();
}

TEST_F(MisbehavingTlsClientsTest, GarbageAfterTheHandshake) {
  Start();
  RawClient client = ServedClient();
  WriteFully(client.fd(), "this is no record at all");
  EXPECT_THAT(LossOf(1), HasSubstr("TLS connection: wrong version number"));
  client.Close();
  Finish();
}

// Row U33: each is given its time and no more.
TEST_F(MisbehavingTlsClientsTest, StopInTheHandshake) {
  constexpr size_t kClients = 20;
  Start(AfterEof::kClose, absl::Milliseconds(200));
  std::vector<RawClient> clients;
  for (size_t i = 0; i < kClients; ++i) {
    clients.push_back(NewClient());
    const std::string hello = clients.back().Hello();
    WriteFully(clients.back().fd(), hello.substr(0, i * hello.size() / 20));
  }
  ASSERT_TRUE(WaitForTroubles(kClients));
  EXPECT_THAT(Troubles(), Each("trouble: TLS handshake took longer than "
                               "200ms"));
  for (const RawClient& client : clients) WaitForHangUp(client.fd());
  Finish();
}

// -- connections --------------------------------------------------------------

TEST_P(MisbehavingClientsTest, LeaveAtOnce) {
  constexpr int kClients = 50;
  Start();
  for (int i = 0; i < kClients; ++i) NewClient().Close();
  if (tls_) {
    ASSERT_TRUE(WaitForTroubles(kClients));
    EXPECT_THAT(Troubles(),
                Each("trouble: TLS handshake: connection closed by the peer"));
  } else {
    for (int i = 1; i <= kClients; ++i) EXPECT_EQ(LossOf(i), "None");
  }
  Finish();
}

// What is unread at a close makes the kernel tell the other side.
TEST_P(MisbehavingClientsTest, Reset) {
  Start();
  RawClient client = ServedClient();
  client.Say("answer me");
  pollfd set = {client.fd().get(), POLLIN, 0};
  ASSERT_EQ(poll(&set, 1, /*timeout_ms=*/20000), 1);
  client.Close();
  EXPECT_THAT(LossOf(1), HasSubstr("Connection reset by peer"));
  Finish();
}

// The server holds what its window allows; what else was said is the kernel's.
TEST_P(MisbehavingClientsTest, NeverRead) {
  constexpr int kClients = 4;
  Start();
  std::vector<RawClient> clients;
  for (int i = 0; i < kClients; ++i) clients.push_back(ServedClient());
  for (int quiet = 0; quiet < 5;) {
    size_t said = 0;
    for (RawClient& client : clients) said += client.SayUntilFull();
    WaitForIteration(*io_);
    quiet = said == 0 ? quiet + 1 : 0;
  }
  for (const StreamTransport& stream : Info().connections) {
    const TransportInfo info = IoTest::Info(stream);
    EXPECT_LE(info.reading.in_flight,
              kWindow + Block::kSize + ReadBuffer::kMessageCost);
    // An echo waits with the credit of what came: it is no more than that.
    EXPECT_LE(info.writing.buffered,
              kWindow + Block::kSize + 2 * ReadBuffer::kMessageCost);
  }
  clients.clear();
  for (int i = 1; i <= kClients; ++i) {
    EXPECT_THAT(LossOf(i), AnyOf(HasSubstr("Connection reset by peer"),
                                 HasSubstr("Broken pipe")));
  }
  Finish();
}

// Row U26: the answer still comes. With TLS it is an end without the goodbye,
// an error, behind which nothing comes.
TEST_P(MisbehavingClientsTest, HalfCloseAndStay) {
  Start();
  RawClient client = ServedClient();
  if (!tls_) client.Say("last words");
  shutdown(client.fd().get(), SHUT_WR);
  if (!tls_) {
    EXPECT_EQ(client.Hear(10), "last words");
  }
  EXPECT_EQ(LossOf(1), tls_ ? "TLS connection: connection closed without "
                              "close_notify"
                            : "None");
  EXPECT_EQ(client.Hear(1), "");
  Finish();
  client.Close();
}

}  // namespace
}  // namespace troupe
