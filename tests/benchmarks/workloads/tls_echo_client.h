// The other end of W7-tls: OpenSSL on the sockets of an EchoClient. It believes
// every server.
#ifndef TROUPE_TESTS_BENCHMARKS_WORKLOADS_TLS_ECHO_CLIENT_H_
#define TROUPE_TESTS_BENCHMARKS_WORKLOADS_TLS_ECHO_CLIENT_H_

#include <openssl/types.h>

#include <cstddef>
#include <string_view>
#include <vector>

#include "tests/benchmarks/workloads/echo_client.h"

namespace troupe {

class TlsEchoClient final : public EchoClient {
 public:
  using EchoClient::EchoClient;

 private:
  void Connect() override;
  void Send(size_t peer, std::string_view message) override;
  size_t Receive(size_t peer, char* room, size_t size) override;

  // The child ends without giving them back.
  std::vector<SSL*> sessions_;
};

}  // namespace troupe

#endif  // TROUPE_TESTS_BENCHMARKS_WORKLOADS_TLS_ECHO_CLIENT_H_
