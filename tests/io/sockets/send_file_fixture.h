// Two stream transports that are connected, plain or with TLS, and a file.
//
//   OpenToADeafPeer();
//   Answer sent = SendIt();
//   LetItRead();
//   EXPECT_EQ(sent(), "10");
#ifndef TROUPE_TESTS_IO_SOCKETS_SEND_FILE_FIXTURE_H_
#define TROUPE_TESTS_IO_SOCKETS_SEND_FILE_FIXTURE_H_

#include <fcntl.h>
#include <sys/types.h>
#include <unistd.h>

#include <functional>
#include <string>
#include <utility>

#include "caf/scoped_actor.hpp"
#include "caf/send.hpp"
#include "gtest/gtest.h"
#include "io/bytes.h"
#include "io/file_sender.h"
#include "io/owned_fd.h"
#include "io/sockets/stream_messages.h"
#include "io/sockets/stream_transport.h"
#include "tests/support/certificates.h"
#include "tests/support/descriptors.h"
#include "tests/support/protocol_notes.h"
#include "tests/support/stream_fixture.h"

namespace troupe {

enum class With { kNothing, kTls };

// `stream_` sends; what `peer_` gets is in received_, and its events in the
// trace begin with `peer `.
class SendFileTest : public StreamTest,
                     public ::testing::WithParamInterface<With> {
 protected:
  SendFileTest();

  bool tls() const { return GetParam() == With::kTls; }
  StreamTransport NewStream();
  StreamTransport NewPeer();
  // Both wait for each other's handshake.
  void ConnectBoth(ProtocolScript script = {}, ProtocolScript theirs = {});
  void Open(ProtocolScript script = {}, ProtocolScript theirs = {});
  // The peer reads nothing until it is told to.
  void OpenToADeafPeer();
  void LetItRead() { caf::anon_send(peer_, ResumeReading{}); }

  // Sends our file, by a copy of the descriptor. The answer can be waited for:
  // `10`, or the error's text, after a `-` if it is kCancelled.
  using Answer = std::function<std::string()>;
  Answer SendIt(FileRange range = {});
  // A file that no socket takes at once, and none ever will in this test.
  void MakeItHuge();
  // When as much of it is on its way as there is room for.
  void WaitUntilStuck();

  template <class Message>
  void Send(Message message) {
    caf::anon_send(stream_, std::move(message));
  }
  void Say(const std::string& text) { Send(Write{Bytes(text), {}}); }
  off_t Position() { return lseek(file_.get(), 0, SEEK_CUR); }
  bool WaitForPeersEnd() { return trace_->WaitForPrefix("peer CL("); }
  bool WaitForOurEnd() { return trace_->WaitForPrefix("CL("); }

  const CertificateAuthority ca_{"CA"};
  OwnedFd file_ = MakeFile("0123456789", O_RDWR);
  OwnedFd ours_, theirs_;
  StreamTransport stream_, peer_;
  StreamProtocol protocol_;
  caf::scoped_actor self_{*system_};
};

}  // namespace troupe

#endif  // TROUPE_TESTS_IO_SOCKETS_SEND_FILE_FIXTURE_H_
