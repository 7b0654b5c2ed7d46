// What a peer may send besides data once the handshake is done.
#include <openssl/ssl.h>

#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "gtest/gtest.h"
#include "io/bytes.h"
#include "io/tls/tls_context.h"
#include "io/tls/tls_session.h"
#include "tests/io/tls/openssl_peer.h"
#include "tests/io/tls/tls_pair.h"

namespace troupe {
namespace {

constexpr char kAlertRecord = 21;

class TlsPostHandshakeTest : public TlsTest {
 protected:
  std::unique_ptr<TlsSession> Client() {
    return *TlsSession::Client(*TlsContext::Client(client_), "example.org");
  }
  std::unique_ptr<TlsSession> Server() {
    return *TlsSession::Server(*TlsContext::Server(server_));
  }
  static void ExpectTalk(TlsSession& session, OpenSslPeer& peer) {
    EXPECT_EQ(SSL_write(peer.ssl(), "ping", 4), 4);
    session.Receive(Bytes(peer.Take()));
    EXPECT_EQ(TextFrom(session), "ping");
    EXPECT_EQ(session.Write("pong"), absl::OkStatus());
    peer.Give(TakeAll(session));
    EXPECT_EQ(peer.Read(), "pong");
  }
  static std::vector<std::string> SplitRecords(const std::string& wire) {
    std::vector<std::string> records;
    for (size_t at = 0; at < wire.size(); at += records.back().size()) {
      const auto high = static_cast<unsigned char>(wire[at + 3]);
      const auto low = static_cast<unsigned char>(wire[at + 4]);
      records.push_back(wire.substr(at, 5 + high * 256 + low));
    }
    return records;
  }
};

TEST_F(TlsPostHandshakeTest, ReadsTicketsSilently) {
  auto client = Client();
  OpenSslPeer server(*TlsContext::Server(server_));
  server.Shake(*client);
  const std::string tickets = server.Take();
  EXPECT_GT(tickets.size(), 200u);
  client->Receive(Bytes(tickets));
  EXPECT_EQ(TextFrom(*client), "");
  EXPECT_EQ(client->output_size(), 0u);
  ExpectTalk(*client, server);
}

// With what it writes next: a peer that asks and does not read costs nothing.
TEST_F(TlsPostHandshakeTest, AnswersAKeyUpdate) {
  auto client = Client();
  OpenSslPeer server(*TlsContext::Server(server_));
  server.Shake(*client);
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(SSL_key_update(server.ssl(), SSL_KEY_UPDATE_REQUESTED), 1);
    EXPECT_EQ(SSL_write(server.ssl(), "new", 3), 3);
    client->Receive(Bytes(server.Take()));
    EXPECT_EQ(TextFrom(*client), "new");
    EXPECT_EQ(client->output_size(), 0u);
    EXPECT_EQ(client->Write("answer"), absl::OkStatus());
    const std::string wire = TakeAll(*client);
    EXPECT_EQ(SplitRecords(wire).size(), 2u);
    server.Give(wire);
    EXPECT_EQ(server.Read(), "answer");
    ExpectTalk(*client, server);
  }
}

// OpenSSL writes nothing while it has half a message of the peer's; a ticket
// for a client with a large certificate comes in several records.
class HalfTicketTest : public TlsPostHandshakeTest {
 protected:
  HalfTicketTest() {
    RequireClientCertificate(ca_.Issue({.name = "client", .rsa = true}));
    client_end_ = Client();
    server_ =
        std::make_unique<OpenSslPeer>(*TlsContext::Server(TlsTest::server_));
    SSL_set_max_send_fragment(server_->ssl(), 512);
    server_->Shake(*client_end_);
    records_ = SplitRecords(server_->Take());
    EXPECT_EQ(records_.size(), 4u);  // two tickets in two records each
    client_end_->Receive(Bytes(records_[0]));
    EXPECT_EQ(TextFrom(*client_end_), "");
  }
  std::unique_ptr<TlsSession> client_end_;
  std::unique_ptr<OpenSslPeer> server_;
  std::vector<std::string> records_;
};

TEST_F(HalfTicketTest, HoldsBackWhatIsWritten) {
  EXPECT_EQ(client_end_->Write("one "), absl::OkStatus());
  EXPECT_EQ(client_end_->Write("two"), absl::OkStatus());
  EXPECT_EQ(client_end_->output_size(), 7u);
  EXPECT_TRUE(client_end_->TakeOutput().empty());
  client_end_->Receive(Bytes(records_[1]));
  EXPECT_EQ(TextFrom(*client_end_), "");
  EXPECT_EQ(client_end_->Write(" three"), absl::OkStatus());
  const std::string wire = TakeAll(*client_end_);
  EXPECT_EQ(client_end_->output_size(), 0u);
  for (const std::string& record : SplitRecords(wire)) server_->Give(record);
  EXPECT_EQ(server_->Read(), "one two");
  EXPECT_EQ(server_->Read(), " three");
}

TEST_F(HalfTicketTest, HoldsBackTheClose) {
  EXPECT_EQ(client_end_->Close(), absl::OkStatus());
  EXPECT_EQ(client_end_->output_size(), 0u);
  EXPECT_FALSE(client_end_->Write("late").ok());
  client_end_->Receive(Bytes(records_[1]));
  EXPECT_EQ(TextFrom(*client_end_), "");
  server_->Give(TakeAll(*client_end_));
  EXPECT_EQ(server_->Read(), "");
  EXPECT_EQ(SSL_get_shutdown(server_->ssl()), SSL_RECEIVED_SHUTDOWN);
}

TEST_F(HalfTicketTest, ClosesAfterWhatItHeldBack) {
  EXPECT_EQ(client_end_->Write("held"), absl::OkStatus());
  EXPECT_EQ(client_end_->Close(), absl::OkStatus());
  client_end_->Receive(Bytes(records_[1]));
  EXPECT_EQ(TextFrom(*client_end_), "");
  server_->Give(TakeAll(*client_end_));
  EXPECT_EQ(server_->Read(), "held");
  EXPECT_EQ(server_->Read(), "");
  EXPECT_EQ(SSL_get_shutdown(server_->ssl()), SSL_RECEIVED_SHUTDOWN);
}

TEST_F(HalfTicketTest, KeepsTheOrderOfWhatItHeldBack) {
  EXPECT_EQ(client_end_->Write("one "), absl::OkStatus());
  client_end_->Receive(Bytes(records_[1]));
  EXPECT_EQ(client_end_->Write("two"), absl::OkStatus());
  for (const std::string& record : SplitRecords(TakeAll(*client_end_))) {
    server_->Give(record);
  }
  EXPECT_EQ(server_->Read(), "one ");
  EXPECT_EQ(server_->Read(), "two");
}

// A write alone looks at what has come in meanwhile.
TEST_F(HalfTicketTest, IsOverWhenTheRestHasCome) {
  client_end_->Receive(Bytes(records_[1]));
  EXPECT_EQ(client_end_->Write("now"), absl::OkStatus());
  server_->Give(TakeAll(*client_end_));
  EXPECT_EQ(server_->Read(), "now");
}

TEST_F(TlsPostHandshakeTest, RefusesAServersRenegotiation) {
  Speak(TlsVersion::kTls12);
  auto client = Client();
  OpenSslPeer server(*TlsContext::Server(server_));
  server.Shake(*client);
  SSL_clear_options(server.ssl(), SSL_OP_NO_RENEGOTIATION);
  ASSERT_EQ(SSL_renegotiate(server.ssl()), 1);
  SSL_do_handshake(server.ssl());
  client->Receive(Bytes(server.Take()));
  EXPECT_EQ(TextFrom(*client), "");
  auto answer = SplitRecords(TakeAll(*client));
  ASSERT_EQ(answer.size(), 1u);
  EXPECT_EQ(answer[0][0], kAlertRecord);
  EXPECT_EQ(client->Write("on"), absl::OkStatus());
}

TEST_F(TlsPostHandshakeTest, RefusesAClientsRenegotiation) {
  Speak(TlsVersion::kTls12);
  auto server = Server();
  OpenSslPeer client(*TlsContext::Client(client_));
  client.Shake(*server);
  SSL_clear_options(client.ssl(), SSL_OP_NO_RENEGOTIATION);
  ASSERT_EQ(SSL_renegotiate(client.ssl()), 1);
  SSL_do_handshake(client.ssl());
  server->Receive(Bytes(client.Take()));
  EXPECT_EQ(TextFrom(*server), "");
  auto answer = SplitRecords(TakeAll(*server));
  ASSERT_EQ(answer.size(), 1u);
  EXPECT_EQ(answer[0][0], kAlertRecord);
  EXPECT_EQ(server->Write("on"), absl::OkStatus());
}

// A client without tickets makes a full handshake each time, and costs nothing
// when it has gone.
TEST_F(TlsPostHandshakeTest, RemembersNoSessions) {
  Speak(TlsVersion::kTls12);
  auto context = *TlsContext::Server(server_);
  auto server = *TlsSession::Server(context);
  OpenSslPeer client(*TlsContext::Client(client_));
  SSL_set_options(client.ssl(), SSL_OP_NO_TICKET);
  client.Shake(*server);
  EXPECT_EQ(SSL_CTX_sess_number(context->get()), 0);
}

// A ticket is taken up again, also where clients are verified.
TEST_F(TlsPostHandshakeTest, ServesAClientThatComesBackWithATicket) {
  RequireClientCertificate(ca_.Issue({.name = "client"}));
  auto server_context = *TlsContext::Server(server_);
  auto client_context = *TlsContext::Client(client_);
  for (TlsVersion version : {TlsVersion::kTls12, TlsVersion::kTls13}) {
    SSL_SESSION* ticket = nullptr;
    for (bool again : {false, true}) {
      auto server = *TlsSession::Server(server_context);
      OpenSslPeer client(client_context);
      SSL_set_max_proto_version(client.ssl(), version == TlsVersion::kTls12
                                                  ? TLS1_2_VERSION
                                                  : TLS1_3_VERSION);
      if (again) SSL_set_session(client.ssl(), ticket);
      client.Shake(*server);
      client.Give(TakeAll(*server));
      EXPECT_EQ(client.Read(), "");
      EXPECT_EQ(SSL_session_reused(client.ssl()), again);
      EXPECT_EQ(server->peer_certificate()->subject, "CN=client");
      SSL_shutdown(client.ssl());  // else the ticket is thrown away
      SSL_SESSION_free(ticket);
      ticket = SSL_get1_session(client.ssl());
    }
    SSL_SESSION_free(ticket);
  }
}

}  // namespace
}  // namespace troupe
