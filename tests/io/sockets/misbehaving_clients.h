// A server that echoes, a good client that exchanges a thousand messages with
// it and hears of nothing else, and beside it those that misbehave.
//
//   Start();
//   RawClient client = ServedClient();
//   ... LossOf(1), WaitForTroubles(1) ...
//   Finish();
#ifndef TROUPE_TESTS_IO_SOCKETS_MISBEHAVING_CLIENTS_H_
#define TROUPE_TESTS_IO_SOCKETS_MISBEHAVING_CLIENTS_H_

#include <atomic>
#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "io/sockets/socket_address.h"
#include "io/sockets/stream_messages.h"
#include "io/sockets/stream_transport.h"
#include "io/sockets/unix_server.h"
#include "io/tls/tls_context.h"
#include "tests/io/sockets/raw_client.h"
#include "tests/support/certificates.h"
#include "tests/support/echo_protocol.h"
#include "tests/support/stream_fixture.h"
#include "tests/support/trace.h"
#include "tests/support/unix_sockets.h"

namespace troupe {

class MisbehavingClients : public StreamTest {
 protected:
  // What the server reads ahead of each client.
  static constexpr size_t kWindow = 64 * 1024;

  explicit MisbehavingClients(bool tls) : tls_(tls) {}

  std::shared_ptr<const EchoScript> NoteLost(int number);

  // The good client is number 0, and begins.
  void Start(AfterEof after_eof = AfterEof::kClose,
             absl::Duration handshake_timeout = absl::Seconds(60));
  void Finish();

  RawClient NewClient() { return RawClient(address_, context_); }
  // One that has been served.
  RawClient ServedClient();

  // What the protocol of the n-th client was told at the end.
  std::string LossOf(int n);
  std::vector<std::string> Troubles();
  bool WaitForTroubles(size_t count);

  ServerInfo Info();

  const bool tls_;
  const SocketAddress address_ = FreshAddress();
  std::shared_ptr<Trace> good_trace_ = std::make_shared<Trace>();
  std::atomic<bool> enough_{false};
  StreamTransport good_;
  UnixServer server_;
  int clients_ = 0;  // the I/O thread's

 private:
  void MakeContexts();
  ServerOwner Owner();

  const CertificateAuthority ca_{"CA"};
  TlsContext::Shared server_context_;
  TlsContext::Shared context_;
};

}  // namespace troupe

#endif  // TROUPE_TESTS_IO_SOCKETS_MISBEHAVING_CLIENTS_H_
