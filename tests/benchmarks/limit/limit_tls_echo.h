// W7-tls with epoll, OpenSSL and nothing else.
#ifndef TROUPE_TESTS_BENCHMARKS_LIMIT_LIMIT_TLS_ECHO_H_
#define TROUPE_TESTS_BENCHMARKS_LIMIT_LIMIT_TLS_ECHO_H_

#include <openssl/types.h>

#include <cstddef>
#include <vector>

#include "tests/support/certificates.h"

namespace troupe {

class LimitTlsEcho {
 public:
  LimitTlsEcho(const std::vector<int>& sockets,
               const IssuedCertificate& certificate);
  ~LimitTlsEcho();
  LimitTlsEcho(const LimitTlsEcho&) = delete;
  LimitTlsEcho& operator=(const LimitTlsEcho&) = delete;

  void Run();

 private:
  void Accept(int fd);
  bool Serve(SSL* session);

  SSL_CTX* const context_;
  const int epoll_;
  size_t open_;
  std::vector<char> room_;
};

}  // namespace troupe

#endif  // TROUPE_TESTS_BENCHMARKS_LIMIT_LIMIT_TLS_ECHO_H_
