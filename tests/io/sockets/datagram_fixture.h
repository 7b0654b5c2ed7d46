// A socket that is bound, peers of the test's own, and a protocol that writes
// down what it is told: `CM`, `GOT text` or `GOT(size)`, `FAILED why`, `PAUSE`,
// `RESUME`, `CL(None)`.
#ifndef TROUPE_TESTS_IO_SOCKETS_DATAGRAM_FIXTURE_H_
#define TROUPE_TESTS_IO_SOCKETS_DATAGRAM_FIXTURE_H_

#include <unistd.h>

#include <functional>
#include <future>
#include <string>

#include "io/sockets/bound_socket.h"
#include "io/sockets/datagram_messages.h"
#include "io/sockets/datagram_transport.h"
#include "io/sockets/socket_address.h"
#include "tests/support/io_fixture.h"
#include "tests/support/scratch_folder.h"

namespace troupe {

// What a protocol does beside writing down, in its handler.
using DatagramScript = std::function<void(DatagramReceived&)>;

class DatagramFixture : public IoTest {
 protected:
  void Open(DatagramScript script = nullptr,
            DatagramTransportOptions options = {});
  DatagramProtocol NewDatagramProtocol(DatagramScript script = nullptr);
  std::string Begin(const DatagramTransport& transport);
  // A peer of the test's own; blocking.
  static BoundSocket Peer();
  void SendTo(const BoundSocket& from, const std::string& text);
  static std::string Receive(const BoundSocket& at);
  void Send(const std::string& text, const SocketAddress& to);
  std::future<std::string> Ask(const std::string& text,
                               const SocketAddress& to);
  // Sends to it until its queue is full; how many that were.
  int Fill(const BoundSocket& peer);
  bool FileIsThere() const { return access(path_.c_str(), F_OK) == 0; }

  ScratchFolder folder_;
  const std::string path_ = folder_.PathOf("socket");
  SocketAddress address_;
  DatagramTransport transport_;
  DatagramProtocol protocol_;
};

}  // namespace troupe

#endif  // TROUPE_TESTS_IO_SOCKETS_DATAGRAM_FIXTURE_H_
