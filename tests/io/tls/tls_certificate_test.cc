// What is read out of a certificate.
#include "io/tls/tls_certificate.h"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include <cstdio>
#include <fstream>
#include <memory>
#include <string>

#include "absl/strings/escaping.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/certificates.h"
#include "tests/support/leak_check.h"

namespace troupe {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class TlsCertificateTest : public LeakCheckedTest {
 protected:
  static TlsCertificate Describe(const std::string& path) {
    std::FILE* file = std::fopen(path.c_str(), "re");
    std::unique_ptr<X509, decltype(&X509_free)> certificate(
        PEM_read_X509(file, nullptr, nullptr, nullptr), &X509_free);
    std::fclose(file);
    return DescribeCertificate(certificate.get());
  }
  CertificateAuthority ca_{"CA"};
};

TEST_F(TlsCertificateTest, TellsItsHolder) {
  EXPECT_EQ(Describe(ca_.certificate_file()).subject, "CN=CA");
  EXPECT_EQ(Describe(ca_.Issue({.name = "bücher, & more"}).chain_file).subject,
            "CN=bücher\\, & more");
}

// A line of a log stays one line.
TEST_F(TlsCertificateTest, EscapesControlCharacters) {
  EXPECT_EQ(Describe(ca_.Issue({.name = "a\nb"}).chain_file).subject,
            "CN=a\\0Ab");
}

TEST_F(TlsCertificateTest, TellsItsAlternativeNames) {
  IssuedCertificate issued = ca_.Issue(
      {.name = "all",
       .alternative_names = {"DNS:example.org", "DNS:*.example.org",
                             "IP:127.0.0.1", "IP:2001:db8::1", "URI:urn:x",
                             "email:a@example.org", "RID:1.2.3"}});
  EXPECT_THAT(
      Describe(issued.chain_file).alternative_names,
      ElementsAre("DNS:example.org", "DNS:*.example.org", "IP:127.0.0.1",
                  "IP:2001:db8::1", "URI:urn:x", "email:a@example.org"));
  EXPECT_THAT(Describe(ca_.certificate_file()).alternative_names, IsEmpty());
}

// What `sha256sum` says of the bytes between the lines of dashes.
TEST_F(TlsCertificateTest, TellsTheSha256OfTheWhole) {
  std::ifstream file(ca_.certificate_file());
  std::string base64;
  for (std::string line; std::getline(file, line);) {
    if (line[0] != '-') base64 += line;
  }
  std::string whole;
  ASSERT_TRUE(absl::Base64Unescape(base64, &whole));
  unsigned char digest[32];
  ASSERT_EQ(EVP_Digest(whole.data(), whole.size(), digest, nullptr,
                       EVP_sha256(), nullptr),
            1);
  EXPECT_EQ(Describe(ca_.certificate_file()).fingerprint,
            absl::BytesToHexString(absl::string_view(
                reinterpret_cast<char*>(digest), sizeof digest)));
}

}  // namespace
}  // namespace troupe
