// A client and a server with TLS on a socket pair, and the authority that both
// trust.
//
//   INSTANTIATE_TEST_SUITE_P(Versions, SomeTest, EveryTlsVersion(),
//                            NameOfTlsVersion);
#ifndef TROUPE_TESTS_IO_SOCKETS_TLS_TRANSPORT_FIXTURE_H_
#define TROUPE_TESTS_IO_SOCKETS_TLS_TRANSPORT_FIXTURE_H_

#include <future>
#include <string>
#include <tuple>
#include <utility>

#include "caf/send.hpp"
#include "gtest/gtest.h"
#include "io/bytes.h"
#include "io/owned_fd.h"
#include "io/sockets/stream_messages.h"
#include "io/sockets/stream_transport.h"
#include "io/tls/tls_context.h"
#include "tests/support/certificates.h"
#include "tests/support/descriptors.h"
#include "tests/support/protocol_notes.h"
#include "tests/support/stream_fixture.h"

namespace troupe {

// The client's protocol writes down; the server's is the one that a test wants.
class TlsTransportFixture : public StreamTest,
                            public ::testing::WithParamInterface<TlsVersion> {
 protected:
  TlsTransportFixture() { std::tie(ours_, theirs_) = MakeSocketPair(); }

  TlsContext::Shared ServerContext(TlsOptions options = {});
  TlsContext::Shared ClientContext(TlsOptions options = {});
  StreamTransport NewClient(std::string hostname = "example.org",
                            TlsOptions options = {});
  StreamTransport NewServer(TlsOptions options = {});

  // Connects a server to theirs_, in the background: its error's text.
  std::future<std::string> Serve(StreamTransport server,
                                 StreamProtocol protocol = {});
  // Both, and an echo at the other end.
  void Open(ProtocolScript script = {});
  template <class Message>
  void Send(Message message) {
    caf::anon_send(client_, std::move(message));
  }
  void Say(const std::string& text) { Send(Write{Bytes(text), {}}); }

  const CertificateAuthority ca_{"CA"};
  OwnedFd ours_, theirs_;
  StreamTransport client_;
};

inline auto EveryTlsVersion() {
  return ::testing::Values(TlsVersion::kTls12, TlsVersion::kTls13);
}

inline std::string NameOfTlsVersion(
    const ::testing::TestParamInfo<TlsVersion>& info) {
  return info.param == TlsVersion::kTls12 ? "Tls12" : "Tls13";
}

}  // namespace troupe

#endif  // TROUPE_TESTS_IO_SOCKETS_TLS_TRANSPORT_FIXTURE_H_
