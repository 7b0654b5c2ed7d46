// OpenSSL's queue of reasons as one sentence.
#include "io/tls/tls_error.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>

#include <cerrno>
#include <string>

#include "absl/status/status.h"
#include "gtest/gtest.h"
#include "io/os_error.h"

namespace troupe {
namespace {

// Leaves something in the queue, as OpenSSL does.
void Raise(int library, int reason) {
  // Once: for the texts, which the first context would load.
  OPENSSL_init_ssl(OPENSSL_INIT_LOAD_SSL_STRINGS, nullptr);
  ERR_raise(library, reason);
}

TEST(TlsErrorTest, SaysWhatWasAttemptedOnWhatAndWhy) {
  Raise(ERR_LIB_SSL, SSL_R_EE_KEY_TOO_SMALL);
  EXPECT_EQ(TlsError("read certificate chain", "a.pem"),
            absl::InvalidArgumentError(
                "read certificate chain \"a.pem\": ee key too small"));
  Raise(ERR_LIB_SSL, SSL_R_HTTP_REQUEST);
  EXPECT_EQ(TlsError("TLS handshake"),
            absl::InvalidArgumentError("TLS handshake: http request"));
}

TEST(TlsErrorTest, TellsTheOldestReasonOfThoseItPassedThrough) {
  Raise(ERR_LIB_PEM, PEM_R_BAD_DECRYPT);
  Raise(ERR_LIB_PEM, PEM_R_NO_START_LINE);
  Raise(ERR_LIB_SSL, ERR_R_PEM_LIB);
  EXPECT_EQ(TlsError("a").message(), "a: bad decrypt");
}

// A forged signature fails somewhere in elliptic curves.
TEST(TlsErrorTest, TellsTheReasonOfTlsWhereThereIsOne) {
  Raise(ERR_LIB_EC, ERR_R_EC_LIB);
  Raise(ERR_LIB_SSL, SSL_R_CERTIFICATE_VERIFY_FAILED);
  Raise(ERR_LIB_SSL, SSL_R_HTTP_REQUEST);
  EXPECT_EQ(TlsError("a").message(), "a: certificate verify failed");
}

TEST(TlsErrorTest, LeavesTheQueueEmpty) {
  Raise(ERR_LIB_SSL, SSL_R_LENGTH_MISMATCH);
  Raise(ERR_LIB_SSL, SSL_R_LENGTH_MISMATCH);
  EXPECT_FALSE(TlsError("a").ok());
  EXPECT_EQ(ERR_peek_error(), 0u);
}

TEST(TlsErrorTest, AddsWhatOpenSslAddsAndWhatTheCallerDoes) {
  Raise(ERR_LIB_SSL, SSL_R_LENGTH_MISMATCH);
  ERR_add_error_data(1, "by 3");
  EXPECT_EQ(TlsError("a", "b", "c").message(),
            "a \"b\": length mismatch (by 3): c");
}

TEST(TlsErrorTest, IsAnOsErrorWhereTheSystemRefused) {
  Raise(ERR_LIB_SYS, EACCES);
  Raise(ERR_LIB_SSL, ERR_R_SYS_LIB);
  absl::Status status = TlsError("open private key", "k.pem");
  EXPECT_EQ(status, OsError(EACCES, "open private key", "k.pem"));
  EXPECT_EQ(OsFailureOf(status)->error_number, EACCES);
}

TEST(TlsErrorTest, IsUnauthenticatedWhereThePeerProvesNothing) {
  for (int reason : {SSL_R_CERTIFICATE_VERIFY_FAILED,
                     SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE}) {
    Raise(ERR_LIB_SSL, reason);
    EXPECT_EQ(TlsError("a").code(), absl::StatusCode::kUnauthenticated);
  }
}

// OpenSSL's texts for alerts come in several dresses.
TEST(TlsErrorTest, NamesTheAlertThatThePeerSent) {
  const struct {
    int alert;
    const char* name;
  } kAlerts[] = {{SSL_AD_UNKNOWN_CA, "unknown ca"},
                 {SSL_AD_BAD_CERTIFICATE, "bad certificate"},
                 {SSL_AD_UNRECOGNIZED_NAME, "unrecognized name"},
                 {SSL_AD_CERTIFICATE_REQUIRED, "certificate required"},
                 {SSL_AD_NO_APPLICATION_PROTOCOL, "no application protocol"},
                 {200, "number 200"}};
  for (const auto& [alert, name] : kAlerts) {
    Raise(ERR_LIB_SSL, SSL_AD_REASON_OFFSET + alert);
    EXPECT_EQ(TlsError("a"), absl::PermissionDeniedError(
                                 std::string("a: peer sent alert: ") + name));
  }
}

TEST(TlsErrorTest, SaysSoWhenOpenSslGivesNoReason) {
  ERR_clear_error();
  EXPECT_EQ(TlsError("a").message(), "a: OpenSSL gives no reason");
  Raise(ERR_LIB_SSL, 900);
  EXPECT_EQ(TlsError("a").message(), "a: OpenSSL error a000384");
}

}  // namespace
}  // namespace troupe
