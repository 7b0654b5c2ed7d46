// A peer that is OpenSSL itself, for what a TlsSession never does.
//
//   OpenSslPeer peer(*context);           // a server's context: a server
//   SSL_renegotiate(peer.ssl());
//   session.Receive(Bytes(peer.Take()));
#ifndef TROUPE_TESTS_IO_TLS_OPENSSL_PEER_H_
#define TROUPE_TESTS_IO_TLS_OPENSSL_PEER_H_

#include <openssl/types.h>

#include <string>

#include "io/tls/tls_context.h"
#include "io/tls/tls_session.h"

namespace troupe {

class OpenSslPeer {
 public:
  explicit OpenSslPeer(TlsContext::Shared context);
  OpenSslPeer(const OpenSslPeer&) = delete;
  OpenSslPeer& operator=(const OpenSslPeer&) = delete;
  ~OpenSslPeer();

  SSL* ssl() { return ssl_; }

  // What it has to send.
  std::string Take();
  void Give(const std::string& ciphertext);

  // Both to the end of the handshake; what it sends last stays.
  void Shake(TlsSession& session);

  // What it can read now.
  std::string Read();

 private:
  const TlsContext::Shared context_;
  SSL* const ssl_;
};

}  // namespace troupe

#endif  // TROUPE_TESTS_IO_TLS_OPENSSL_PEER_H_
