// What a certificate says about its holder.
//
//   auto peer = session->peer_certificate();
//   if (peer.has_value() && peer->fingerprint == pinned) ...
//
// A value. Whether anybody verified it is a matter of the context it came with.
#ifndef TROUPE_IO_TLS_TLS_CERTIFICATE_H_
#define TROUPE_IO_TLS_TLS_CERTIFICATE_H_

#include <openssl/types.h>

#include <string>
#include <vector>

namespace troupe {

struct TlsCertificate {
  // As RFC 2253 writes it, `CN=example.org,O=Example`; UTF-8, control
  // characters escaped.
  std::string subject;
  // `DNS:example.org`, `IP:127.0.0.1`, `URI:urn:x`, `email:a@example.org`;
  // other kinds are left out. Byte for byte: a NUL in a name stays one.
  std::vector<std::string> alternative_names;
  // SHA-256 of the whole, in 64 lower-case hexadecimal digits.
  std::string fingerprint;
};

TlsCertificate DescribeCertificate(const X509* certificate);

// The subject alone.
std::string CertificateSubject(const X509* certificate);

}  // namespace troupe

#endif  // TROUPE_IO_TLS_TLS_CERTIFICATE_H_
