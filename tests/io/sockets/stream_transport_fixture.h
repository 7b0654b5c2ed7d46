// A stream transport at one end of a socket pair, and the test at the other;
// its protocol lives on a worker or on the I/O thread.
#ifndef TROUPE_TESTS_IO_SOCKETS_STREAM_TRANSPORT_FIXTURE_H_
#define TROUPE_TESTS_IO_SOCKETS_STREAM_TRANSPORT_FIXTURE_H_

#include <sys/socket.h>

#include <string>
#include <tuple>
#include <utility>

#include "caf/send.hpp"
#include "gtest/gtest.h"
#include "io/bytes.h"
#include "io/io_messages.h"
#include "io/owned_fd.h"
#include "io/sockets/stream_messages.h"
#include "io/sockets/stream_transport.h"
#include "tests/support/descriptors.h"
#include "tests/support/home.h"
#include "tests/support/protocol_notes.h"
#include "tests/support/stream_fixture.h"

namespace troupe {

class StreamTransportFixture : public StreamTest,
                               public ::testing::WithParamInterface<Home> {
 protected:
  StreamTransportFixture() { std::tie(ours_, theirs_) = MakeSocketPair(); }

  StreamProtocol Protocol(ProtocolScript script = {}) {
    return GetParam() == Home::kWorker ? NewStreamProtocol(std::move(script))
                                       : NewResidentStreamProtocol(script);
  }
  // Connected to theirs_.
  void Open(ProtocolScript script = {}, AfterEof after_eof = AfterEof::kClose) {
    stream_ = SpawnStreamTransport(host(), io());
    ASSERT_EQ(Connect(stream_, std::move(ours_), Protocol(std::move(script)),
                      after_eof),
              "");
  }
  template <class Message>
  void Send(Message message) {
    caf::anon_send(stream_, std::move(message));
  }
  void Say(const std::string& text) { Send(Write{Bytes(text), {}}); }
  void ShutDownTheirs() { shutdown(theirs_.get(), SHUT_WR); }

  OwnedFd ours_, theirs_;
  StreamTransport stream_;
};

}  // namespace troupe

#endif  // TROUPE_TESTS_IO_SOCKETS_STREAM_TRANSPORT_FIXTURE_H_
