#include "tests/io/tls/openssl_peer.h"

#include <openssl/bio.h>
#include <openssl/ssl.h>

#include <utility>

#include "absl/status/status.h"
#include "gtest/gtest.h"
#include "io/bytes.h"
#include "tests/io/tls/tls_pair.h"

namespace troupe {

OpenSslPeer::OpenSslPeer(TlsContext::Shared context)
    : context_(std::move(context)), ssl_(SSL_new(context_->get())) {
  SSL_set_bio(ssl_, BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
  if (context_->is_server()) {
    SSL_set_accept_state(ssl_);
  } else {
    SSL_set_connect_state(ssl_);
  }
}

OpenSslPeer::~OpenSslPeer() { SSL_free(ssl_); }

std::string OpenSslPeer::Take() {
  BIO* out = SSL_get_wbio(ssl_);
  std::string ciphertext(BIO_pending(out), '\0');
  BIO_read(out, ciphertext.data(), static_cast<int>(ciphertext.size()));
  return ciphertext;
}

void OpenSslPeer::Give(const std::string& ciphertext) {
  BIO_write(SSL_get_rbio(ssl_), ciphertext.data(),
            static_cast<int>(ciphertext.size()));
}

void OpenSslPeer::Shake(TlsSession& session) {
  for (int turns = 0; SSL_do_handshake(ssl_) != 1 || !session.handshake_done();
       ++turns) {
    ASSERT_LT(turns, 5);
    session.Receive(Bytes(Take()));
    ASSERT_EQ(session.Handshake(), absl::OkStatus());
    Give(TakeAll(session));
  }
}

std::string OpenSslPeer::Read() {
  std::string text(100000, '\0');
  size_t size = 0;
  SSL_read_ex(ssl_, text.data(), text.size(), &size);
  text.resize(size);
  return text;
}

}  // namespace troupe
