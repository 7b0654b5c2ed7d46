// A certificate authority for tests, and the certificates it gives out, as the
// PEM files that a program is configured with.
//
//   CertificateAuthority ca("CA");
//   IssuedCertificate server =
//       ca.Issue({.name = "server", .alternative_names = {"DNS:example.org"}});
//   TlsContext::Server({.certificate_chain_file = server.chain_file,
//                       .private_key_file = server.key_file});
//   TlsContext::Client({.ca_file = ca.certificate_file()});
//
// The files lie in a folder of the authority's own and go with it. Keys are
// made anew each time, elliptic ones in 0.1 ms, RSA ones in 100.
#ifndef TROUPE_TESTS_SUPPORT_CERTIFICATES_H_
#define TROUPE_TESTS_SUPPORT_CERTIFICATES_H_

#include <openssl/types.h>

#include <memory>
#include <string>
#include <vector>

#include "tests/support/scratch_folder.h"

namespace troupe {

struct CertificateRequest {
  // The common name, and how the files are called. Empty: no subject.
  std::string name = {};
  // As OpenSSL writes them: `DNS:x.org`, `IP:127.0.0.1`.
  std::vector<std::string> alternative_names = {};
  bool expired = false;  // since yesterday
  bool rsa = false;
  std::string password = {};  // encrypts the key's file
};

struct IssuedCertificate {
  std::string chain_file;  // the certificate, then the intermediate ones
  std::string key_file;
};

class CertificateAuthority {
 public:
  explicit CertificateAuthority(const std::string& name);
  CertificateAuthority(const CertificateAuthority&) = delete;
  CertificateAuthority& operator=(const CertificateAuthority&) = delete;

  // One that `parent` vouches for: whoever trusts that needs its certificate in
  // the chain.
  static std::unique_ptr<CertificateAuthority> Under(
      const CertificateAuthority& parent, const std::string& name);

  IssuedCertificate Issue(const CertificateRequest& request) const;
  // Not by this authority: by its holder.
  IssuedCertificate SelfSigned(const CertificateRequest& request) const;

  const std::string& certificate_file() const { return certificate_file_; }
  // Holds its certificate under the name by which OpenSSL looks for it.
  std::string certificate_directory() const;
  // For files of the test's own.
  const std::string& folder() const { return folder_.path(); }

 private:
  CertificateAuthority(const std::string& name,
                       const CertificateAuthority* parent);

  ScratchFolder folder_;
  std::string certificate_file_;
  std::shared_ptr<EVP_PKEY> key_;
  std::shared_ptr<X509> certificate_;
  std::vector<std::shared_ptr<X509>> chain_;  // from here up to the root's
};

}  // namespace troupe

#endif  // TROUPE_TESTS_SUPPORT_CERTIFICATES_H_
