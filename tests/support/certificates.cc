#include "tests/support/certificates.h"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "gtest/gtest.h"

namespace troupe {
namespace {

using Key = std::shared_ptr<EVP_PKEY>;
using Certificate = std::shared_ptr<X509>;

constexpr long kDay = 24 * 60 * 60;

Key MakeKey(bool rsa) {
  return Key(rsa ? EVP_RSA_gen(2048) : EVP_EC_gen("P-256"), &EVP_PKEY_free);
}

void AddExtension(X509* certificate, int kind, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx(&context, certificate, certificate, nullptr, nullptr, 0);
  X509_EXTENSION* extension =
      X509V3_EXT_conf_nid(nullptr, &context, kind, value.c_str());
  ASSERT_NE(extension, nullptr) << value;
  X509_add_ext(certificate, extension, -1);
  X509_EXTENSION_free(extension);
}

// What all certificates have; its holder's names and use are still to come.
Certificate MakeCertificate(const std::string& name, EVP_PKEY* key,
                            const X509* issuer, bool expired) {
  Certificate made(X509_new(), &X509_free);
  X509* certificate = made.get();
  X509_set_version(certificate, X509_VERSION_3);
  // Two of an issuer must differ.
  unsigned char serial[8];
  RAND_bytes(serial, sizeof serial);
  BIGNUM* number = BN_bin2bn(serial, sizeof serial, nullptr);
  BN_to_ASN1_INTEGER(number, X509_get_serialNumber(certificate));
  BN_free(number);
  X509_gmtime_adj(X509_getm_notBefore(certificate), -2 * kDay);
  X509_gmtime_adj(X509_getm_notAfter(certificate), expired ? -kDay : kDay);
  if (!name.empty()) {
    X509_NAME_add_entry_by_txt(
        X509_get_subject_name(certificate), "CN", MBSTRING_UTF8,
        reinterpret_cast<const unsigned char*>(name.data()), name.size(), -1,
        0);
  }
  X509_set_issuer_name(
      certificate,
      X509_get_subject_name(issuer != nullptr ? issuer : certificate));
  X509_set_pubkey(certificate, key);
  return made;
}

std::FILE* Open(const std::string& path) {
  std::FILE* file = std::fopen(path.c_str(), "we");
  EXPECT_NE(file, nullptr) << path;
  return file;
}

void WriteChain(const std::string& path,
                const std::vector<Certificate>& chain) {
  std::FILE* file = Open(path);
  for (const Certificate& certificate : chain) {
    PEM_write_X509(file, certificate.get());
  }
  std::fclose(file);
}

void WriteKey(const std::string& path, EVP_PKEY* key,
              const std::string& password) {
  std::FILE* file = Open(path);
  PEM_write_PrivateKey(file, key,
                       password.empty() ? nullptr : EVP_aes_128_cbc(),
                       reinterpret_cast<const unsigned char*>(password.data()),
                       password.size(), nullptr, nullptr);
  std::fclose(file);
}

// Signed by `issuer_key`, or by its own when that is null.
IssuedCertificate WriteIssued(const std::string& folder,
                              const CertificateRequest& request,
                              const X509* issuer, EVP_PKEY* issuer_key,
                              std::vector<Certificate> issuers) {
  Key key = MakeKey(request.rsa);
  Certificate certificate =
      MakeCertificate(request.name, key.get(), issuer, request.expired);
  if (!request.alternative_names.empty()) {
    AddExtension(certificate.get(), NID_subject_alt_name,
                 absl::StrJoin(request.alternative_names, ","));
  }
  EXPECT_NE(
      X509_sign(certificate.get(),
                issuer_key != nullptr ? issuer_key : key.get(), EVP_sha256()),
      0);
  const std::string base = absl::StrCat(folder, "/", request.name);
  IssuedCertificate issued = {.chain_file = base + ".pem",
                              .key_file = base + ".key"};
  issuers.insert(issuers.begin(), certificate);
  WriteChain(issued.chain_file, issuers);
  WriteKey(issued.key_file, key.get(), request.password);
  return issued;
}

}  // namespace

CertificateAuthority::CertificateAuthority(const std::string& name)
    : CertificateAuthority(name, nullptr) {}

std::unique_ptr<CertificateAuthority> CertificateAuthority::Under(
    const CertificateAuthority& parent, const std::string& name) {
  return std::unique_ptr<CertificateAuthority>(
      new CertificateAuthority(name, &parent));
}

CertificateAuthority::CertificateAuthority(const std::string& name,
                                           const CertificateAuthority* parent)
    : key_(MakeKey(/*rsa=*/false)) {
  certificate_ =
      MakeCertificate(name, key_.get(),
                      parent != nullptr ? parent->certificate_.get() : nullptr,
                      /*expired=*/false);
  AddExtension(certificate_.get(), NID_basic_constraints, "critical,CA:TRUE");
  AddExtension(certificate_.get(), NID_key_usage, "critical,keyCertSign");
  EXPECT_NE(X509_sign(certificate_.get(),
                      parent != nullptr ? parent->key_.get() : key_.get(),
                      EVP_sha256()),
            0);
  if (parent != nullptr) {
    chain_ = parent->chain_;
    chain_.insert(chain_.begin(), certificate_);
  }
  certificate_file_ = folder_.PathOf(name + ".pem");
  WriteChain(certificate_file_, {certificate_});
  const std::string directory = certificate_directory();
  std::filesystem::create_directory(directory);
  char hashed[16];
  std::snprintf(hashed, sizeof hashed, "/%08lx.0",
                X509_NAME_hash_ex(X509_get_subject_name(certificate_.get()),
                                  nullptr, nullptr, nullptr));
  WriteChain(directory + hashed, {certificate_});
}

std::string CertificateAuthority::certificate_directory() const {
  return folder_.PathOf("directory");
}

IssuedCertificate CertificateAuthority::Issue(
    const CertificateRequest& request) const {
  return WriteIssued(folder(), request, certificate_.get(), key_.get(), chain_);
}

IssuedCertificate CertificateAuthority::SelfSigned(
    const CertificateRequest& request) const {
  return WriteIssued(folder(), request, nullptr, nullptr, {});
}

}  // namespace troupe
