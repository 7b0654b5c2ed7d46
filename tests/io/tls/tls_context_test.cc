// What a context is made of, and what it refuses to be made of.
#include "io/tls/tls_context.h"

#include <openssl/err.h>

#include <cerrno>
#include <fstream>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "io/os_error.h"
#include "tests/support/certificates.h"
#include "tests/support/leak_check.h"

namespace troupe {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

class TlsContextTest : public LeakCheckedTest {
 protected:
  // Also: what refused is not left for the next call to stumble over.
  static absl::Status Server(const TlsOptions& options) {
    absl::Status status = TlsContext::Server(options).status();
    EXPECT_EQ(ERR_peek_error(), 0u);
    return status;
  }
  static absl::Status Client(const TlsOptions& options) {
    absl::Status status = TlsContext::Client(options).status();
    EXPECT_EQ(ERR_peek_error(), 0u);
    return status;
  }
  static std::string TextOf(const absl::Status& status) {
    return std::string(status.message());
  }
  std::string Write(const std::string& name, const std::string& content) {
    const std::string path = absl::StrCat(ca_.folder(), "/", name);
    std::ofstream(path) << content;
    return path;
  }
  static std::string ContentOf(const std::string& path) {
    std::ifstream file(path);
    return std::string(std::istreambuf_iterator<char>(file), {});
  }

  CertificateAuthority ca_{"CA"};
  IssuedCertificate issued_ = ca_.Issue({.name = "server"});
};

TEST_F(TlsContextTest, ReadsACertificateAndItsKey) {
  EXPECT_EQ(Server({.certificate_chain_file = issued_.chain_file,
                    .private_key_file = issued_.key_file}),
            absl::OkStatus());
}

TEST_F(TlsContextTest, ReadsAnRsaKey) {
  IssuedCertificate rsa = ca_.Issue({.name = "rsa", .rsa = true});
  EXPECT_EQ(Server({.certificate_chain_file = rsa.chain_file,
                    .private_key_file = rsa.key_file}),
            absl::OkStatus());
}

TEST_F(TlsContextTest, LooksForTheKeyInTheChainFile) {
  const std::string both = Write(
      "both.pem", ContentOf(issued_.chain_file) + ContentOf(issued_.key_file));
  EXPECT_EQ(Server({.certificate_chain_file = both}), absl::OkStatus());
  EXPECT_THAT(TextOf(Server({.certificate_chain_file = issued_.chain_file})),
              StartsWith(absl::StrCat("read private key \"", issued_.chain_file,
                                      "\": ")));
}

TEST_F(TlsContextTest, MakesAClientOutOfNothing) {
  EXPECT_EQ(Client({}), absl::OkStatus());
}

TEST_F(TlsContextTest, NamesTheFileThatIsNotThere) {
  const std::string path = ca_.folder() + "/none";
  const std::string known = issued_.chain_file;
  for (const absl::Status& status :
       {Server({.certificate_chain_file = path}),
        Server({.certificate_chain_file = known, .private_key_file = path}),
        Client({.ca_file = path}), Client({.ca_directory = path})}) {
    EXPECT_EQ(status.code(), absl::StatusCode::kNotFound);
    EXPECT_THAT(TextOf(status),
                HasSubstr(absl::StrCat("\"", path, "\": No such file")));
    auto failure = OsFailureOf(status);
    ASSERT_TRUE(failure.has_value()) << status;
    EXPECT_EQ(failure->error_number, ENOENT);
    EXPECT_EQ(failure->path, path);
  }
}

TEST_F(TlsContextTest, NamesTheFileThatIsSomethingElse) {
  const std::string path = Write("poem.txt", "Shall I compare thee\n");
  const std::string known = issued_.chain_file;
  EXPECT_EQ(TextOf(Server({.certificate_chain_file = path})),
            absl::StrCat("read certificate chain \"", path,
                         "\": no start line (Expecting: TRUSTED CERTIFICATE)"));
  EXPECT_THAT(TextOf(Server(
                  {.certificate_chain_file = known, .private_key_file = path})),
              StartsWith(absl::StrCat("read private key \"", path, "\": ")));
  EXPECT_EQ(
      TextOf(Client({.ca_file = path})),
      absl::StrCat("read CA file \"", path, "\": no certificate or crl found"));
  EXPECT_EQ(Client({.ca_directory = path}),
            OsError(ENOTDIR, "open CA directory", path));
}

TEST_F(TlsContextTest, RefusesTheKeyOfAnotherCertificate) {
  for (bool rsa : {false, true}) {
    IssuedCertificate other = ca_.Issue({.name = "other", .rsa = rsa});
    absl::Status status = Server({.certificate_chain_file = issued_.chain_file,
                                  .private_key_file = other.key_file});
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
    EXPECT_EQ(TextOf(status),
              absl::StrCat("use private key \"", other.key_file, "\": ",
                           rsa ? "different key types" : "key values mismatch",
                           ": it is not that of \"", issued_.chain_file, "\""));
  }
}

TEST_F(TlsContextTest, ReadsAnEncryptedKeyWithItsPassword) {
  IssuedCertificate locked = ca_.Issue({.name = "locked", .password = "open"});
  TlsOptions options = {.certificate_chain_file = locked.chain_file,
                        .private_key_file = locked.key_file,
                        .private_key_password = "open"};
  EXPECT_EQ(Server(options), absl::OkStatus());
  for (const std::string& wrong :
       {std::string("sesame"), std::string(10000, 'x')}) {
    options.private_key_password = wrong;
    EXPECT_EQ(TextOf(Server(options)),
              absl::StrCat("read private key \"", locked.key_file,
                           "\": it is encrypted, and the password does not "
                           "open it"));
  }
}

// OpenSSL by itself would ask on the terminal, and hang a service.
TEST_F(TlsContextTest, NeverAsksForAPassword) {
  IssuedCertificate locked = ca_.Issue({.name = "locked", .password = "open"});
  EXPECT_EQ(TextOf(Server({.certificate_chain_file = locked.chain_file,
                           .private_key_file = locked.key_file})),
            absl::StrCat("read private key \"", locked.key_file,
                         "\": it is encrypted, and no password is given"));
  EXPECT_THAT(TextOf(Server({.certificate_chain_file =
                                 Write("locked.pem",
                                       "-----BEGIN CERTIFICATE-----\n"
                                       "Proc-Type: 4,ENCRYPTED\n"
                                       "DEK-Info: AES-128-CBC,"
                                       "00112233445566778899AABBCCDDEEFF\n\n"
                                       "AAAA\n-----END CERTIFICATE-----\n")})),
              HasSubstr("bad password read"));
}

TEST_F(TlsContextTest, WantsWhatAServerNeeds) {
  EXPECT_EQ(Server({}),
            absl::InvalidArgumentError("a TLS server needs a certificate"));
  EXPECT_EQ(Server({.private_key_file = issued_.key_file}),
            absl::InvalidArgumentError("a TLS server needs a certificate"));
}

TEST_F(TlsContextTest, RefusesAClientsKeyWithoutACertificate) {
  EXPECT_EQ(Client({.private_key_file = "k.pem"}),
            absl::InvalidArgumentError(
                "private key \"k.pem\" without a certificate"));
}

TEST_F(TlsContextTest, MutualTlsNeedsACa) {
  EXPECT_EQ(Server({.certificate_chain_file = issued_.chain_file,
                    .private_key_file = issued_.key_file,
                    .require_client_certificate = true}),
            absl::InvalidArgumentError(
                "require_client_certificate needs a CA to verify it with"));
}

// Somebody thinks that clients are verified when they are not.
TEST_F(TlsContextTest, RefusesACaThatVerifiesNothing) {
  TlsOptions options = {.certificate_chain_file = issued_.chain_file,
                        .private_key_file = issued_.key_file};
  TlsOptions file = options, directory = options;
  file.ca_file = ca_.certificate_file();
  directory.ca_directory = ca_.certificate_directory();
  for (const TlsOptions& given : {file, directory}) {
    EXPECT_EQ(Server(given),
              absl::InvalidArgumentError(
                  "a CA verifies nothing without require_client_certificate"));
  }
}

TEST_F(TlsContextTest, RefusesAServersOptionForAClient) {
  EXPECT_EQ(Client({.require_client_certificate = true}),
            absl::InvalidArgumentError(
                "require_client_certificate is a server's option"));
}

TEST_F(TlsContextTest, RefusesVersionsInTheWrongOrder) {
  EXPECT_EQ(
      Client({.minimum_version = TlsVersion::kTls13,
              .maximum_version = TlsVersion::kTls12}),
      absl::InvalidArgumentError("minimum_version is above maximum_version"));
}

// RFC 7301: a length of one byte.
TEST_F(TlsContextTest, RefusesProtocolNamesThatDoNotFit) {
  EXPECT_EQ(Client({.alpn_protocols = {"h2", ""}}),
            absl::InvalidArgumentError(
                "ALPN protocol of 0 bytes: 1 to 255 are possible"));
  EXPECT_EQ(Client({.alpn_protocols = {std::string(256, 'x')}}),
            absl::InvalidArgumentError(
                "ALPN protocol of 256 bytes: 1 to 255 are possible"));
  EXPECT_EQ(Client({.alpn_protocols = {std::string(255, 'x'), "x"}}),
            absl::OkStatus());
}

}  // namespace
}  // namespace troupe
