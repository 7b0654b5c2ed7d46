// Who is let through: the server's certificate and host name, the client's
// certificate. Row U33.
#include <cstdlib>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "io/bytes.h"
#include "io/tls/tls_context.h"
#include "io/tls/tls_session.h"
#include "tests/io/tls/tls_pair.h"
#include "tests/support/certificates.h"

namespace troupe {
namespace {

using ::testing::ElementsAre;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Not;

class TlsVerifyTest : public EachTlsVersion {
 protected:
  // What the client has against the server; the server hears of it.
  std::string Refusal(const std::string& hostname = "example.org") {
    TlsPair pair = MakePair(hostname);
    pair.Shake();
    EXPECT_FALSE(pair.client->handshake_done());
    EXPECT_EQ(pair.client_status.code(), absl::StatusCode::kUnauthenticated);
    // A server of TLS 1.3 has nothing to wait for but the client's Finished.
    EXPECT_FALSE(pair.server->handshake_done());
    EXPECT_EQ(pair.server_status.code(), absl::StatusCode::kPermissionDenied);
    EXPECT_THAT(std::string(pair.server_status.message()),
                HasSubstr("TLS handshake: peer sent alert: "));
    return std::string(pair.client_status.message());
  }
  // The certificates that servers of this name get.
  void ServeAs(const std::string& name, std::vector<std::string> names) {
    ServeWith(ca_.Issue({.name = name, .alternative_names = std::move(names)}));
  }
  // What the server has against the client, and what the client hears of it:
  // with TLS 1.3 when it reads, its handshake being done.
  std::string ClientRefusal(std::string* heard) {
    TlsPair pair = MakePair();
    pair.Shake();
    EXPECT_EQ(pair.server_status.code(), absl::StatusCode::kUnauthenticated);
    EXPECT_FALSE(pair.server->handshake_done());
    absl::Status told = pair.client_status;
    EXPECT_EQ(pair.client->handshake_done(), GetParam() == TlsVersion::kTls13);
    if (pair.client->handshake_done()) {
      std::string nothing;
      EXPECT_EQ(told, absl::OkStatus());
      told = ReadAll(*pair.client, &nothing);
    }
    EXPECT_EQ(told.code(), absl::StatusCode::kPermissionDenied);
    *heard = std::string(told.message());
    return std::string(pair.server_status.message());
  }
  std::string Where() const {
    return GetParam() == TlsVersion::kTls13
               ? "TLS connection with \"example.org\": "
               : "TLS handshake with \"example.org\": ";
  }
};

INSTANTIATE_TEST_SUITE_P(, TlsVerifyTest,
                         ::testing::Values(TlsVersion::kTls12,
                                           TlsVersion::kTls13),
                         VersionName);

TEST_P(TlsVerifyTest, AcceptsAServerThatTheCaVouchesFor) {
  TlsPair pair = Connect();
  auto peer = pair.client->peer_certificate();
  ASSERT_TRUE(peer.has_value());
  EXPECT_EQ(peer->subject, "CN=server");
  EXPECT_THAT(peer->alternative_names,
              ElementsAre("DNS:example.org", "IP:127.0.0.1"));
  EXPECT_EQ(pair.server->peer_certificate(), std::nullopt);
}

TEST_P(TlsVerifyTest, FindsTheCaInADirectory) {
  client_.ca_file = "";
  client_.ca_directory = ca_.certificate_directory();
  Connect();
}

TEST_P(TlsVerifyTest, AcceptsAnIntermediateThatTheServerSends) {
  auto intermediate = CertificateAuthority::Under(ca_, "intermediate");
  auto below = CertificateAuthority::Under(*intermediate, "below");
  ServeWith(below->Issue(
      {.name = "server", .alternative_names = {"DNS:example.org"}}));
  Connect();
}

TEST_P(TlsVerifyTest, AcceptsAnRsaKey) {
  ServeWith(ca_.Issue(
      {.name = "rsa", .alternative_names = {"DNS:example.org"}, .rsa = true}));
  Connect();
}

TEST_P(TlsVerifyTest, RefusesAServerOfAnUnknownCa) {
  CertificateAuthority other("other");
  client_.ca_file = other.certificate_file();
  EXPECT_EQ(Refusal(),
            "TLS handshake with \"example.org\": certificate verify failed: "
            "unable to get local issuer certificate (CN=server)");
}

TEST_P(TlsVerifyTest, RefusesAServerOfACaThatOnlyHasTheName) {
  CertificateAuthority impostor("CA");
  client_.ca_file = impostor.certificate_file();
  EXPECT_THAT(Refusal(),
              HasSubstr("certificate signature failure (CN=server)"));
}

// OpenSSL lets this variable stand for the system's store.
TEST_P(TlsVerifyTest, TrustsTheSystemAloneWhenNoCaIsGiven) {
  CertificateAuthority other("other");
  const std::string system = ca_.certificate_file();
  for (bool given : {false, true}) {
    client_.ca_file = given ? other.certificate_file() : "";
    setenv("SSL_CERT_FILE", system.c_str(), 1);
    if (given) {
      EXPECT_THAT(Refusal(), HasSubstr("unable to get local issuer"));
    } else {
      Connect();
    }
    unsetenv("SSL_CERT_FILE");
  }
}

TEST_P(TlsVerifyTest, RefusesASelfSignedServer) {
  ServeWith(ca_.SelfSigned(
      {.name = "self", .alternative_names = {"DNS:example.org"}}));
  EXPECT_EQ(Refusal(),
            "TLS handshake with \"example.org\": certificate verify failed: "
            "self-signed certificate (CN=self)");
}

TEST_P(TlsVerifyTest, RefusesAnExpiredServer) {
  ServeWith(ca_.Issue({.name = "old",
                       .alternative_names = {"DNS:example.org"},
                       .expired = true}));
  EXPECT_EQ(Refusal(),
            "TLS handshake with \"example.org\": certificate verify failed: "
            "certificate has expired (CN=old)");
}

TEST_P(TlsVerifyTest, NamesNoCertificateThatHasNoName) {
  ServeWith(
      ca_.Issue({.alternative_names = {"DNS:example.org"}, .expired = true}));
  EXPECT_THAT(Refusal(), EndsWith("certificate has expired"));
}

TEST_P(TlsVerifyTest, RefusesAServerOfAnotherName) {
  EXPECT_EQ(Refusal("example.com"),
            "TLS handshake with \"example.com\": certificate verify failed: "
            "hostname mismatch (CN=server)");
  EXPECT_THAT(Refusal("sub.example.org"), HasSubstr("hostname mismatch"));
}

TEST_P(TlsVerifyTest, ComparesAddressesAsAddresses) {
  Connect("127.0.0.1");
  EXPECT_EQ(Refusal("127.0.0.2"),
            "TLS handshake with \"127.0.0.2\": certificate verify failed: "
            "IP address mismatch (CN=server)");
  ServeAs("six", {"IP:2001:db8::1"});
  Connect("2001:db8:0::1");
  ServeAs("name", {"DNS:127.0.0.1"});
  EXPECT_THAT(Refusal("127.0.0.1"), HasSubstr("IP address mismatch"));
}

TEST_P(TlsVerifyTest, TakesAStarForOneWholeLabel) {
  ServeAs("star", {"DNS:*.example.org"});
  Connect("a.example.org");
  EXPECT_THAT(Refusal("a.b.example.org"), HasSubstr("hostname mismatch"));
  EXPECT_THAT(Refusal("example.org"), HasSubstr("hostname mismatch"));
  ServeAs("part", {"DNS:a*.example.org"});
  EXPECT_THAT(Refusal("ab.example.org"), HasSubstr("hostname mismatch"));
}

// RFC 9525, 6.3.
TEST_P(TlsVerifyTest, TakesNoCommonNameForAHostName) {
  ServeAs("example.org", {});
  EXPECT_THAT(Refusal("example.org"), HasSubstr("hostname mismatch"));
}

// Row U21: the empty host name is accepted.
TEST_P(TlsVerifyTest, TakesAnyNameForTheEmptyHostName) {
  Connect("");
  CertificateAuthority other("other");
  client_.ca_file = other.certificate_file();
  EXPECT_THAT(Refusal(""),
              HasSubstr("TLS handshake: certificate verify failed: unable"));
}

TEST_P(TlsVerifyTest, TakesAnyServerWhenToldTo) {
  CertificateAuthority other("other");
  client_.ca_file = other.certificate_file();
  client_.verify_server = false;
  TlsPair pair = Connect("example.com");
  EXPECT_EQ(pair.client->peer_certificate()->subject, "CN=server");
}

// A certificate that nobody minds is not the reason of a later failure.
TEST_P(TlsVerifyTest, DoesNotBlameACertificateThatItWasToldToTake) {
  client_.verify_server = false;
  TlsPair pair = Connect("example.com");
  pair.client->Receive(Bytes::Copy("GET / HTTP/1.1\r\n\r\n"));
  std::string nothing;
  EXPECT_THAT(std::string(ReadAll(*pair.client, &nothing).message()),
              Not(HasSubstr("mismatch (CN")));
}

TEST_P(TlsVerifyTest, LetsAClientInThatTheCaVouchesFor) {
  RequireClientCertificate(ca_.Issue({.name = "client"}));
  TlsPair pair = Connect();
  EXPECT_EQ(pair.server->peer_certificate()->subject, "CN=client");
}

TEST_P(TlsVerifyTest, RefusesAClientWithoutACertificate) {
  RequireClientCertificate({});
  std::string heard;
  EXPECT_EQ(ClientRefusal(&heard),
            "TLS handshake: peer did not return a certificate");
  EXPECT_EQ(heard,
            Where() + "peer sent alert: " +
                (GetParam() == TlsVersion::kTls13 ? "certificate required"
                                                  : "handshake failure"));
}

TEST_P(TlsVerifyTest, RefusesAClientOfAnUnknownCa) {
  CertificateAuthority other("other");
  RequireClientCertificate(other.Issue({.name = "client"}));
  std::string heard;
  EXPECT_EQ(ClientRefusal(&heard),
            "TLS handshake: certificate verify failed: "
            "unable to get local issuer certificate (CN=client)");
  EXPECT_EQ(heard, Where() + "peer sent alert: unknown ca");
}

TEST_P(TlsVerifyTest, RefusesAnExpiredClient) {
  RequireClientCertificate(ca_.Issue({.name = "client", .expired = true}));
  std::string heard;
  EXPECT_EQ(ClientRefusal(&heard),
            "TLS handshake: certificate verify failed: "
            "certificate has expired (CN=client)");
  EXPECT_EQ(heard, Where() + "peer sent alert: certificate expired");
}

}  // namespace
}  // namespace troupe
