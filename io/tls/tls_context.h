// What the TLS connections of one kind have in common: who we are, whom we
// trust, what we speak.
//
//   auto server = TlsContext::Server({.certificate_chain_file = "server.pem",
//                                     .private_key_file = "server.key"});
//   auto client = TlsContext::Client({.ca_file = "ca.pem"});
//   auto mutual = TlsContext::Server({.certificate_chain_file = "server.pem",
//                                     .ca_file = "clients.pem",
//                                     .require_client_certificate = true});
//
// Immutable and shared: one context serves any number of sessions on any
// thread, and lives as long as the last of them. Make one and keep it: with the
// system's store it costs 30 ms and 1 MiB. The files are read here and not
// again, but for those of a directory, which are read when a certificate asks
// for them. Nothing is ever asked on a terminal.
//
// Errors name the file and OpenSSL's reason; NOT_FOUND, PERMISSION_DENIED and
// the like carry an OsFailure.
//
// Not offered: versions before TLS 1.2, renegotiation, compression, early data,
// and a server's memory of sessions (tickets carry them). Ciphers, groups and
// the least size of a key are OpenSSL's defaults and openssl.cnf's business.
#ifndef TROUPE_IO_TLS_TLS_CONTEXT_H_
#define TROUPE_IO_TLS_TLS_CONTEXT_H_

#include <openssl/types.h>

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"

namespace troupe {

enum class TlsVersion { kTls12, kTls13 };

struct TlsOptions {
  // PEM: our certificate, then the intermediate ones up to the root's. A server
  // must have one.
  std::string certificate_chain_file = {};
  // PEM; empty: in `certificate_chain_file`.
  std::string private_key_file = {};
  std::string private_key_password = {};

  // Whom to trust: PEM certificates in one file, or one each in a directory
  // prepared by openssl-rehash(1). A client that gives neither trusts the
  // system's store, one that gives any does not.
  std::string ca_file = {};
  std::string ca_directory = {};

  // Client: the server must prove to be who was asked for.
  bool verify_server = true;
  // Server: mutual TLS. Needs a CA; without this a CA is refused, since it
  // would protect nothing.
  bool require_client_certificate = false;

  // Protocols for ALPN (RFC 7301), the preferred one first. A client offers
  // them, a server selects by its own order. When both have some and none in
  // common the handshake fails with the alert `no application protocol`; when
  // either has none, none is selected.
  std::vector<std::string> alpn_protocols = {};

  TlsVersion minimum_version = TlsVersion::kTls12;
  TlsVersion maximum_version = TlsVersion::kTls13;
};

class TlsContext {
 public:
  using Shared = std::shared_ptr<const TlsContext>;
  static absl::StatusOr<Shared> Client(const TlsOptions& options = {});
  static absl::StatusOr<Shared> Server(const TlsOptions& options);

  TlsContext(const TlsContext&) = delete;
  TlsContext& operator=(const TlsContext&) = delete;
  ~TlsContext();

  bool is_server() const { return is_server_; }
  // For TlsSession; OpenSSL counts references in it, so it is not const.
  SSL_CTX* get() const { return context_; }

 private:
  explicit TlsContext(bool is_server);
  absl::Status Load(const TlsOptions& options);
  absl::Status LoadAlpn(const std::vector<std::string>& protocols);

  const bool is_server_;
  SSL_CTX* const context_;
  std::string alpn_;  // as on the wire; a server's callback looks into it
};

}  // namespace troupe

#endif  // TROUPE_IO_TLS_TLS_CONTEXT_H_
