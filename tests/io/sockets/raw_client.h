// A client that is no transport, for tests that must misbehave: a blocking
// socket, and with a context a TLS session on it.
//
//   RawClient client(address, context);   // connected, no more
//   client.ShakeHands();
//   client.Say("hello");
//   EXPECT_EQ(client.Hear(5), "hello");
//   WriteFully(client.fd(), "no record");
//
// What does not work fails the test.
#ifndef TROUPE_TESTS_IO_SOCKETS_RAW_CLIENT_H_
#define TROUPE_TESTS_IO_SOCKETS_RAW_CLIENT_H_

#include <cstddef>
#include <memory>
#include <string>

#include "absl/strings/string_view.h"
#include "io/owned_fd.h"
#include "io/sockets/socket_address.h"
#include "io/tls/tls_context.h"
#include "io/tls/tls_session.h"

namespace troupe {

class RawClient {
 public:
  // Without a context it is a plain one, and ShakeHands does nothing.
  RawClient(const SocketAddress& address, TlsContext::Shared context);

  // The first message of a handshake, not sent.
  std::string Hello();
  void ShakeHands();

  void Say(absl::string_view text) { WriteFully(Encoded(text)); }
  // Exactly `size` bytes, or what came before the end.
  std::string Hear(size_t size);

  // Says as much as goes without waiting; how many bytes of the socket.
  size_t SayUntilFull();

  const OwnedFd& fd() const { return fd_; }
  void Close() { fd_.Close(); }

 private:
  std::string Encoded(absl::string_view text);
  std::string Output();
  void WriteFully(const std::string& bytes);
  bool Receive();  // false: nothing more will come

  OwnedFd fd_;
  std::unique_ptr<TlsSession> session_;
  std::string unsaid_;  // the rest of what was begun
};

}  // namespace troupe

#endif  // TROUPE_TESTS_IO_SOCKETS_RAW_CLIENT_H_
