#include "io/tls/tls_certificate.h"

#include <arpa/inet.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <memory>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

namespace troupe {
namespace {

absl::string_view View(const ASN1_STRING* text) {
  return absl::string_view(
      reinterpret_cast<const char*>(ASN1_STRING_get0_data(text)),
      ASN1_STRING_length(text));
}

// Empty for what is no address.
std::string IpText(absl::string_view address) {
  char text[INET6_ADDRSTRLEN] = "";
  if (address.size() == 4) {
    inet_ntop(AF_INET, address.data(), text, sizeof text);
  } else if (address.size() == 16) {
    inet_ntop(AF_INET6, address.data(), text, sizeof text);
  }
  return text;
}

std::string NameText(const GENERAL_NAME& name) {
  switch (name.type) {
    case GEN_DNS:
      return absl::StrCat("DNS:", View(name.d.dNSName));
    case GEN_IPADD:
      return absl::StrCat("IP:", IpText(View(name.d.iPAddress)));
    case GEN_URI:
      return absl::StrCat("URI:", View(name.d.uniformResourceIdentifier));
    case GEN_EMAIL:
      return absl::StrCat("email:", View(name.d.rfc822Name));
    default:
      return "";
  }
}

// Empty, too, when they cannot be read.
std::vector<std::string> AlternativeNames(const X509* certificate) {
  std::unique_ptr<GENERAL_NAMES, decltype(&GENERAL_NAMES_free)> names(
      static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(
          certificate, NID_subject_alt_name, nullptr, nullptr)),
      &GENERAL_NAMES_free);
  ERR_clear_error();
  std::vector<std::string> texts;
  const int count = names != nullptr ? sk_GENERAL_NAME_num(names.get()) : 0;
  for (int i = 0; i < count; ++i) {
    std::string text = NameText(*sk_GENERAL_NAME_value(names.get(), i));
    if (!text.empty()) texts.push_back(std::move(text));
  }
  return texts;
}

std::string Fingerprint(const X509* certificate) {
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned int size = 0;
  if (X509_digest(certificate, EVP_sha256(), digest, &size) != 1) return "";
  return absl::BytesToHexString(
      absl::string_view(reinterpret_cast<char*>(digest), size));
}

}  // namespace

std::string CertificateSubject(const X509* certificate) {
  std::unique_ptr<BIO, decltype(&BIO_free)> out(BIO_new(BIO_s_mem()),
                                                &BIO_free);
  X509_NAME_print_ex(out.get(), X509_get_subject_name(certificate), 0,
                     XN_FLAG_RFC2253 & ~ASN1_STRFLGS_ESC_MSB);
  char* text = nullptr;
  const long size = BIO_get_mem_data(out.get(), &text);
  return std::string(text, size);
}

TlsCertificate DescribeCertificate(const X509* certificate) {
  return {.subject = CertificateSubject(certificate),
          .alternative_names = AlternativeNames(certificate),
          .fingerprint = Fingerprint(certificate)};
}

}  // namespace troupe
