// The two ends of a TLS connection, with memory for a wire.
//
//   TlsTest : a CA, a server's certificate for example.org and 127.0.0.1, and
//             the options that make two contexts of them.
//   TlsPair : made of two contexts; Shake() brings both through the handshake.
#ifndef TROUPE_TESTS_IO_TLS_TLS_PAIR_H_
#define TROUPE_TESTS_IO_TLS_TLS_PAIR_H_

#include <cstddef>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "gtest/gtest.h"
#include "io/tls/tls_context.h"
#include "io/tls/tls_session.h"
#include "tests/support/certificates.h"
#include "tests/support/leak_check.h"

namespace troupe {

// All output of a session, taken.
std::string TakeAll(TlsSession& session);

// Gives `to` all that `from` has to send; whether there was anything.
bool Move(TlsSession& from, TlsSession& to);

// Reads until nothing more is there; adds it to `text`. CANCELLED: the end.
absl::Status ReadAll(TlsSession& session, std::string* text,
                     size_t room = 100000);
// The same when neither end nor failure is expected.
std::string TextFrom(TlsSession& session);

struct TlsPair {
  std::unique_ptr<TlsSession> client;
  std::unique_ptr<TlsSession> server;
  absl::Status client_status = {};
  absl::Status server_status = {};

  // Lets both shake hands until neither has anything to say; a failure stays
  // in its status.
  void Shake();
};

class TlsTest : public LeakCheckedTest {
 protected:
  TlsTest();

  // With the options as they are.
  TlsPair MakePair(const std::string& hostname = "example.org");
  // Through the handshake, which must succeed.
  TlsPair Connect(const std::string& hostname = "example.org");
  void Speak(TlsVersion version);

  // Makes both verify each other.
  void RequireClientCertificate(const IssuedCertificate& certificate);
  void ServeWith(const IssuedCertificate& certificate);

  CertificateAuthority ca_{"CA"};
  IssuedCertificate server_certificate_;
  TlsOptions client_;
  TlsOptions server_;
};

// For what holds in every version.
class EachTlsVersion : public TlsTest,
                       public ::testing::WithParamInterface<TlsVersion> {
 protected:
  EachTlsVersion() { Speak(GetParam()); }
};

std::string VersionName(const ::testing::TestParamInfo<TlsVersion>& info);

}  // namespace troupe

#endif  // TROUPE_TESTS_IO_TLS_TLS_PAIR_H_
