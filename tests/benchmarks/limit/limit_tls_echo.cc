#include "tests/benchmarks/limit/limit_tls_echo.h"

#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <sys/epoll.h>
#include <unistd.h>

#include <cstdlib>

namespace troupe {
namespace {

void Require(bool holds) {
  if (!holds) abort();
}

// What a read takes at once: a message of 64 KiB in records.
constexpr size_t kReadAhead = 68 * 1024;

}  // namespace

LimitTlsEcho::LimitTlsEcho(const std::vector<int>& sockets,
                           const IssuedCertificate& certificate)
    : context_(SSL_CTX_new(TLS_server_method())),
      epoll_(epoll_create1(EPOLL_CLOEXEC)),
      open_(sockets.size()),
      room_(64 * 1024) {
  SSL_CTX_set_min_proto_version(context_, TLS1_3_VERSION);
  // The peer ends without saying so.
  SSL_CTX_set_options(context_, SSL_OP_IGNORE_UNEXPECTED_EOF);
  SSL_CTX_set_read_ahead(context_, 1);
  SSL_CTX_set_default_read_buffer_len(context_, kReadAhead);
  Require(SSL_CTX_use_certificate_chain_file(
              context_, certificate.chain_file.c_str()) == 1 &&
          SSL_CTX_use_PrivateKey_file(context_, certificate.key_file.c_str(),
                                      SSL_FILETYPE_PEM) == 1);
  for (int fd : sockets) Accept(fd);
}

LimitTlsEcho::~LimitTlsEcho() {
  close(epoll_);
  SSL_CTX_free(context_);
}

void LimitTlsEcho::Accept(int fd) {
  SSL* session = SSL_new(context_);
  Require(SSL_set_fd(session, fd) == 1 && SSL_accept(session) == 1);
  Require(fcntl(fd, F_SETFL, O_NONBLOCK) == 0);
  epoll_event event = {EPOLLIN, {.ptr = session}};
  epoll_ctl(epoll_, EPOLL_CTL_ADD, fd, &event);
}

void LimitTlsEcho::Run() {
  while (open_ > 0) {
    epoll_event events[256];
    const int ready = epoll_wait(epoll_, events, 256, -1);
    for (int i = 0; i < ready; ++i) {
      SSL* session = static_cast<SSL*>(events[i].data.ptr);
      if (Serve(session)) continue;
      close(SSL_get_fd(session));
      SSL_free(session);
      ERR_clear_error();
      --open_;
    }
  }
}

// False at the end. The peer takes all it is sent before it sends more, so a
// message is never more than the room, and writing does not block. What OpenSSL
// has not read yet epoll tells again.
bool LimitTlsEcho::Serve(SSL* session) {
  size_t size = 0;
  do {
    const int got = SSL_read(session, room_.data() + size, room_.size() - size);
    if (got > 0) {
      size += got;
    } else if (SSL_get_error(session, got) == SSL_ERROR_WANT_READ) {
      break;
    } else {
      return false;
    }
  } while (SSL_has_pending(session));
  if (size > 0) {
    Require(SSL_write(session, room_.data(), size) == int(size));
  }
  return true;
}

}  // namespace troupe
