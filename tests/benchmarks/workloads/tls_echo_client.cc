#include "tests/benchmarks/workloads/tls_echo_client.h"

#include <fcntl.h>
#include <openssl/ssl.h>

#include <cstdlib>

namespace troupe {
namespace {

// What OpenSSL's servers send.
constexpr int kTickets = 2;

void Require(bool holds) {
  if (!holds) abort();
}

// Without AUTO_RETRY, and with nothing read ahead, each call ends behind a
// ticket.
void ReadTickets(SSL* session) {
  SSL_clear_mode(session, SSL_MODE_AUTO_RETRY);
  for (int i = 0; i < kTickets; ++i) {
    char nothing;
    const int result = SSL_read(session, &nothing, 1);
    Require(SSL_get_error(session, result) == SSL_ERROR_WANT_READ);
  }
}

}  // namespace

void TlsEchoClient::Connect() {
  SSL_CTX* context = SSL_CTX_new(TLS_client_method());
  SSL_CTX_set_min_proto_version(context, TLS1_3_VERSION);
  for (int fd : sockets()) {
    SSL* session = SSL_new(context);
    sessions_.push_back(session);
    Require(SSL_set_fd(session, fd) == 1 && SSL_connect(session) == 1);
    ReadTickets(session);
    SSL_set_read_ahead(session, 1);
    Require(fcntl(fd, F_SETFL, O_NONBLOCK) == 0);
  }
}

void TlsEchoClient::Send(size_t peer, std::string_view message) {
  Require(SSL_write(sessions_[peer], message.data(), message.size()) ==
          int(message.size()));
}

// All records that are there: what OpenSSL has read ahead, epoll does not know.
size_t TlsEchoClient::Receive(size_t peer, char* room, size_t size) {
  SSL* session = sessions_[peer];
  size_t received = 0;
  do {
    const int got = SSL_read(session, room + received, size - received);
    if (got > 0) {
      received += got;
    } else {
      Require(SSL_get_error(session, got) == SSL_ERROR_WANT_READ);
      break;
    }
  } while (received < size);
  return received;
}

}  // namespace troupe
