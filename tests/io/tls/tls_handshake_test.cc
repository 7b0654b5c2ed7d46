// How two ends come to terms, and what they say when they do not.
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "io/bytes.h"
#include "io/tls/tls_context.h"
#include "io/tls/tls_session.h"
#include "tests/io/tls/tls_pair.h"

namespace troupe {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

constexpr auto kTls12 = TlsVersion::kTls12;
constexpr auto kTls13 = TlsVersion::kTls13;

class TlsHandshakeTest : public TlsTest {
 protected:
  // What the server has against `hello`.
  absl::Status ServerOn(absl::string_view hello) {
    TlsPair pair = MakePair();
    pair.server->Receive(Bytes::Copy(hello));
    absl::Status status = pair.server->Handshake();
    EXPECT_FALSE(pair.server->handshake_done());
    return status;
  }
};

class TlsEachHandshakeTest : public EachTlsVersion {};

INSTANTIATE_TEST_SUITE_P(, TlsEachHandshakeTest,
                         ::testing::Values(kTls12, kTls13), VersionName);

TEST_P(TlsEachHandshakeTest, SaysWhatWasAgreedOn) {
  TlsPair pair = MakePair();
  EXPECT_EQ(
      pair.client->version() + pair.client->cipher() + pair.client->alpn(), "");
  EXPECT_EQ(pair.client->peer_certificate(), std::nullopt);
  pair.Shake();
  EXPECT_EQ(pair.client->version(),
            GetParam() == kTls12 ? "TLSv1.2" : "TLSv1.3");
  EXPECT_THAT(pair.client->cipher(), HasSubstr("AES"));
  EXPECT_EQ(pair.server->version(), pair.client->version());
  EXPECT_EQ(pair.server->cipher(), pair.client->cipher());
}

TEST_P(TlsEachHandshakeTest, NeedsNoWholeRecords) {
  TlsPair pair = MakePair();
  auto feed = [](TlsSession& from, TlsSession& to) {
    for (char byte : TakeAll(from)) {
      to.Receive(Bytes(std::string(1, byte)));
      EXPECT_EQ(to.Handshake(), absl::OkStatus());
    }
  };
  EXPECT_EQ(pair.client->Handshake(), absl::OkStatus());
  for (int i = 0; i < 3; ++i) {
    feed(*pair.client, *pair.server);
    feed(*pair.server, *pair.client);
  }
  EXPECT_TRUE(pair.client->handshake_done());
  EXPECT_TRUE(pair.server->handshake_done());
}

TEST_P(TlsEachHandshakeTest, SaysNothingBeforeItIsAsked) {
  TlsPair pair = MakePair();
  EXPECT_EQ(pair.client->output_size(), 0u);
  EXPECT_EQ(pair.server->Handshake(), absl::OkStatus());
  EXPECT_EQ(pair.server->output_size(), 0u);
  EXPECT_EQ(pair.client->Handshake(), absl::OkStatus());
  EXPECT_GT(pair.client->output_size(), 0u);
}

TEST_P(TlsEachHandshakeTest, RefusesWhatComesTooEarly) {
  TlsPair pair = MakePair();
  char room[10];
  const absl::Status read = pair.client->Read(room).status();
  EXPECT_EQ(read,
            absl::FailedPreconditionError("TLS handshake with \"example.org\": "
                                          "read before the handshake is done"));
  EXPECT_EQ(pair.client->Write("x"), absl::FailedPreconditionError(
                                         "TLS handshake with \"example.org\": "
                                         "write before the handshake is done"));
  EXPECT_EQ(pair.server->Close(),
            absl::FailedPreconditionError(
                "TLS handshake: close before the handshake is done"));
  pair.Shake();
  EXPECT_TRUE(pair.server->handshake_done());
  EXPECT_EQ(pair.client->Write("x"), absl::OkStatus());
  Move(*pair.client, *pair.server);
  EXPECT_EQ(TextFrom(*pair.server), "x");
}

TEST_P(TlsEachHandshakeTest, TellsTheServerTheNameButNoAddress) {
  auto hello = [this](const std::string& hostname) {
    TlsPair pair = MakePair(hostname);
    EXPECT_EQ(pair.client->Handshake(), absl::OkStatus());
    return TakeAll(*pair.client);
  };
  EXPECT_THAT(hello("example.org"), HasSubstr("example.org"));
  EXPECT_THAT(hello("127.0.0.1"), Not(HasSubstr("127.0.0.1")));
  EXPECT_LT(hello("").size() + 10, hello("example.org").size());
}

TEST_P(TlsEachHandshakeTest, SelectsTheProtocolThatTheServerPrefers) {
  client_.alpn_protocols = {"http/1.1", "h2"};
  server_.alpn_protocols = {"h3", "h2", "http/1.1"};
  TlsPair pair = Connect();
  EXPECT_EQ(pair.client->alpn(), "h2");
  EXPECT_EQ(pair.server->alpn(), "h2");
}

// RFC 7301, 3.2.
TEST_P(TlsEachHandshakeTest, FailsWithoutACommonProtocol) {
  client_.alpn_protocols = {"h2"};
  server_.alpn_protocols = {"http/1.1"};
  TlsPair pair = MakePair();
  pair.Shake();
  EXPECT_EQ(pair.server_status, absl::InvalidArgumentError(
                                    "TLS handshake: no application protocol"));
  EXPECT_EQ(pair.client_status,
            absl::PermissionDeniedError(
                "TLS handshake with \"example.org\": peer sent alert: "
                "no application protocol"));
}

TEST_P(TlsEachHandshakeTest, SelectsNoProtocolWhenOneSideHasNone) {
  client_.alpn_protocols = {"h2"};
  TlsPair offered = Connect();
  EXPECT_EQ(offered.client->alpn() + offered.server->alpn(), "");
  client_.alpn_protocols = {};
  server_.alpn_protocols = {"h2"};
  TlsPair wanted = Connect();
  EXPECT_EQ(wanted.client->alpn() + wanted.server->alpn(), "");
}

// Every later call says the same, and nothing is taken in any more.
TEST_P(TlsEachHandshakeTest, StaysFailed) {
  TlsPair pair = MakePair("example.com");
  pair.Shake();
  const absl::Status failure = pair.client_status;
  EXPECT_FALSE(failure.ok());
  char room[10];
  pair.client->Receive(Bytes::Copy("x"));
  pair.client->ReceiveEnd();
  EXPECT_EQ(pair.client->Handshake(), failure);
  EXPECT_EQ(pair.client->Read(room).status(), failure);
  EXPECT_EQ(pair.client->Write("x"), failure);
  EXPECT_EQ(pair.client->Close(), failure);
  EXPECT_EQ(pair.client->output_size(), 0u);
}

TEST_P(TlsEachHandshakeTest, FailsWhenThePeerGoes) {
  TlsPair pair = MakePair();
  EXPECT_EQ(pair.client->Handshake(), absl::OkStatus());
  Move(*pair.client, *pair.server);
  EXPECT_EQ(pair.server->Handshake(), absl::OkStatus());
  const std::string flight = TakeAll(*pair.server);
  pair.client->Receive(Bytes(flight.substr(0, flight.size() / 2)));
  pair.client->ReceiveEnd();
  EXPECT_EQ(pair.client->Handshake(),
            absl::DataLossError("TLS handshake with \"example.org\": "
                                "connection closed by the peer"));
  pair.server->ReceiveEnd();
  EXPECT_EQ(
      pair.server->Handshake(),
      absl::DataLossError("TLS handshake: connection closed by the peer"));
}

TEST_F(TlsHandshakeTest, SpeaksTheNewestVersionThatBothKnow) {
  EXPECT_EQ(Connect().client->version(), "TLSv1.3");
  client_.maximum_version = kTls12;
  EXPECT_EQ(Connect().client->version(), "TLSv1.2");
  client_ = {.ca_file = ca_.certificate_file()};
  server_.maximum_version = kTls12;
  EXPECT_EQ(Connect().client->version(), "TLSv1.2");
}

TEST_F(TlsHandshakeTest, FailsWithoutACommonVersion) {
  client_.minimum_version = kTls13;
  server_.maximum_version = kTls12;
  TlsPair pair = MakePair();
  pair.Shake();
  EXPECT_EQ(pair.server_status,
            absl::InvalidArgumentError("TLS handshake: unsupported protocol"));
  EXPECT_EQ(pair.client_status,
            absl::PermissionDeniedError(
                "TLS handshake with \"example.org\": peer sent alert: "
                "protocol version"));
}

TEST_F(TlsHandshakeTest, KnowsAnHttpRequest) {
  EXPECT_EQ(ServerOn("GET / HTTP/1.1\r\nHost: example.org\r\n\r\n"),
            absl::InvalidArgumentError("TLS handshake: http request"));
}

TEST_F(TlsHandshakeTest, RefusesGarbage) {
  for (const std::string& hello :
       {std::string("\x80\x2e\x01\x00\x02\x00\x15\x00\x00\x00\x10", 11) +
            std::string(37, 'x'),            // as SSL 2 began
        std::string(100, '\0'),              // nothing
        std::string(100, '\xff'),            //
        std::string("SSH-2.0-OpenSSH\r\n"),  // somebody else
        // A hello of a length that does not fit in its record.
        std::string("\x16\x03\x01\x00\x04\x01\xff\xff\xff", 9)}) {
    absl::Status status = ServerOn(hello);
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << status;
    EXPECT_THAT(std::string(status.message()), StartsWith("TLS handshake: "));
  }
}

// A client of TLS 1.0: its hello, cut down to what is looked at.
TEST_F(TlsHandshakeTest, RefusesOlderVersions) {
  std::string hello("\x03\x01", 2);
  hello += std::string(32, 'r');
  hello += std::string("\x00\x00\x02\x00\x2f\x01\x00", 7);
  const char size = static_cast<char>(hello.size());
  const std::string message = std::string("\x01\x00\x00", 3) + size + hello;
  const std::string record = std::string("\x16\x03\x01\x00", 4) +
                             static_cast<char>(message.size()) + message;
  EXPECT_EQ(ServerOn(record),
            absl::InvalidArgumentError("TLS handshake: unsupported protocol"));
}

TEST_F(TlsHandshakeTest, WantsTheContextOfItsSide) {
  auto client = TlsContext::Client(client_);
  auto server = TlsContext::Server(server_);
  EXPECT_EQ(TlsSession::Client(*server, "").status(),
            absl::InvalidArgumentError("TLS client with a server's context"));
  EXPECT_EQ(TlsSession::Server(*client).status(),
            absl::InvalidArgumentError("TLS server with a client's context"));
}

// OpenSSL takes `.example.org` for any host below and stops at a NUL.
TEST_F(TlsHandshakeTest, RefusesWhatIsNoHostName) {
  auto context = TlsContext::Client(client_);
  for (const std::string& name :
       {std::string(".example.org"), std::string("example.org."),
        std::string("example.org\0.evil.com", 21), std::string("b\xc3\xbc.org"),
        std::string("a b"), std::string("."), std::string(1, '\0')}) {
    auto session = TlsSession::Client(*context, name);
    EXPECT_EQ(session.status(),
              absl::InvalidArgumentError("not a host name for TLS: \"" + name +
                                         "\""));
  }
  auto session = TlsSession::Client(*context, std::string(300, 'x'));
  EXPECT_EQ(session.status().code(), absl::StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace troupe
