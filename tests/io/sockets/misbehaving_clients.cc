#include "tests/io/sockets/misbehaving_clients.h"

#include <atomic>
#include <cstddef>
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
#include "io/bytes.h"
#include "io/resident.h"
#include "io/sockets/stream_messages.h"
#include "io/sockets/stream_transport.h"
#include "io/sockets/tls_transport.h"
#include "io/sockets/unix_listener.h"
#include "io/sockets/unix_server.h"
#include "io/status_error.h"
#include "io/tls/tls_context.h"
#include "tests/io/sockets/raw_client.h"
#include "tests/support/certificates.h"
#include "tests/support/echo_protocol.h"
#include "tests/support/trace.h"
#include "tests/support/unix_sockets.h"

namespace troupe {
namespace {

using ::testing::ElementsAre;

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

}  // namespace

std::shared_ptr<const EchoScript> MisbehavingClients::NoteLost(int number) {
  auto script = std::make_shared<EchoScript>();
  script->lost = [number, trace = trace_](const ConnectionLost& lost) {
    trace->Add(absl::StrCat("client ", number, " lost: ",
                            lost.why.ok() ? "None" : lost.why.message()));
  };
  return script;
}

void MisbehavingClients::Start(AfterEof after_eof,
                               absl::Duration handshake_timeout) {
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

void MisbehavingClients::Finish() {
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

RawClient MisbehavingClients::ServedClient() {
  RawClient client = NewClient();
  client.ShakeHands();
  client.Say("served");
  EXPECT_EQ(client.Hear(6), "served");
  return client;
}

std::string MisbehavingClients::LossOf(int n) {
  const std::string prefix = absl::StrCat("client ", n, " lost: ");
  if (!trace_->WaitForPrefix(prefix)) return "nothing";
  for (const std::string& event : trace_->events()) {
    if (absl::StartsWith(event, prefix)) return event.substr(prefix.size());
  }
  return "nothing";
}

std::vector<std::string> MisbehavingClients::Troubles() {
  std::vector<std::string> troubles;
  for (const std::string& event : trace_->events()) {
    if (absl::StartsWith(event, "trouble: ")) troubles.push_back(event);
  }
  return troubles;
}

bool MisbehavingClients::WaitForTroubles(size_t count) {
  return trace_->WaitUntil([=](const std::vector<std::string>& events) {
    size_t n = 0;
    for (const std::string& event : events) {
      n += absl::StartsWith(event, "trouble: ");
    }
    return n == count;
  });
}

ServerInfo MisbehavingClients::Info() {
  ServerInfo info;
  caf::scoped_actor self(*system_);
  self->request(server_, caf::infinite, GetServerInfo{})
      .receive([&](const ServerInfo& got) { info = got; },
               [](const caf::error& why) { ADD_FAILURE() << StatusOf(why); });
  return info;
}

void MisbehavingClients::MakeContexts() {
  if (!tls_) return;
  const IssuedCertificate issued = ca_.Issue({.name = "server"});
  auto server = TlsContext::Server({.certificate_chain_file = issued.chain_file,
                                    .private_key_file = issued.key_file});
  auto client = TlsContext::Client({.ca_file = ca_.certificate_file()});
  ASSERT_TRUE(server.ok() && client.ok());
  server_context_ = *server;
  context_ = *client;
}

ServerOwner MisbehavingClients::Owner() {
  return system_->spawn<caf::hidden>(
      [trace = trace_](ServerOwner::pointer) -> ServerOwner::behavior_type {
        return {[=](const ServerTrouble& trouble) {
          trace->Add(absl::StrCat("trouble: ", trouble.why.message()));
        }};
      });
}

}  // namespace troupe
