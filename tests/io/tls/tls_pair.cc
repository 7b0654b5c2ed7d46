#include "tests/io/tls/tls_pair.h"

#include <utility>

#include "io/bytes.h"

namespace troupe {

std::string TakeAll(TlsSession& session) {
  std::string all;
  for (Bytes piece = session.TakeOutput(); !piece.empty();
       piece = session.TakeOutput()) {
    all += piece.ToString();
  }
  return all;
}

bool Move(TlsSession& from, TlsSession& to) {
  bool moved = false;
  for (Bytes piece = from.TakeOutput(); !piece.empty();
       piece = from.TakeOutput()) {
    to.Receive(piece);
    moved = true;
  }
  return moved;
}

absl::Status ReadAll(TlsSession& session, std::string* text, size_t room) {
  std::string buffer(room, '\0');
  for (;;) {
    auto result = session.Read(absl::MakeSpan(buffer));
    if (!result.ok()) return result.status();
    text->append(buffer, 0, result->size);
    if (result->would_block) return absl::OkStatus();
    if (result->size == 0) return absl::CancelledError("the end");
  }
}

std::string TextFrom(TlsSession& session) {
  std::string text;
  absl::Status status = ReadAll(session, &text);
  EXPECT_TRUE(status.ok()) << status;
  return text;
}

void TlsPair::Shake() {
  bool moved = true;
  while (moved) {
    client_status = client->Handshake();
    moved = Move(*client, *server);
    server_status = server->Handshake();
    moved |= Move(*server, *client);
  }
}

TlsTest::TlsTest()
    : server_certificate_(ca_.Issue(
          {.name = "server",
           .alternative_names = {"DNS:example.org", "IP:127.0.0.1"}})) {
  ServeWith(server_certificate_);
  client_.ca_file = ca_.certificate_file();
}

TlsPair TlsTest::MakePair(const std::string& hostname) {
  auto client = TlsContext::Client(client_);
  EXPECT_TRUE(client.ok()) << client.status();
  auto server = TlsContext::Server(server_);
  EXPECT_TRUE(server.ok()) << server.status();
  return {.client = *TlsSession::Client(*client, hostname),
          .server = *TlsSession::Server(*server)};
}

TlsPair TlsTest::Connect(const std::string& hostname) {
  TlsPair pair = MakePair(hostname);
  pair.Shake();
  EXPECT_TRUE(pair.client_status.ok()) << pair.client_status;
  EXPECT_TRUE(pair.server_status.ok()) << pair.server_status;
  EXPECT_TRUE(pair.client->handshake_done());
  EXPECT_TRUE(pair.server->handshake_done());
  return pair;
}

void TlsTest::Speak(TlsVersion version) {
  client_.minimum_version = server_.minimum_version = version;
  client_.maximum_version = server_.maximum_version = version;
}

void TlsTest::RequireClientCertificate(const IssuedCertificate& certificate) {
  client_.certificate_chain_file = certificate.chain_file;
  client_.private_key_file = certificate.key_file;
  server_.ca_file = ca_.certificate_file();
  server_.require_client_certificate = true;
}

void TlsTest::ServeWith(const IssuedCertificate& certificate) {
  server_.certificate_chain_file = certificate.chain_file;
  server_.private_key_file = certificate.key_file;
}

std::string VersionName(const ::testing::TestParamInfo<TlsVersion>& info) {
  return info.param == TlsVersion::kTls12 ? "Tls12" : "Tls13";
}

}  // namespace troupe
