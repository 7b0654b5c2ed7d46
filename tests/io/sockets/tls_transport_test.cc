// TLS between protocol and socket (rows U1, U21).
#include "io/sockets/tls_transport.h"

#include <sys/socket.h>

#include <atomic>
#include <memory>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "caf/event_based_actor.hpp"
#include "caf/scoped_actor.hpp"
#include "caf/send.hpp"
#include "caf/typed_event_based_actor.hpp"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "io/bytes.h"
#include "io/fd_ticket.h"
#include "io/sockets/stream_messages.h"
#include "io/sockets/stream_transport.h"
#include "io/status_error.h"
#include "io/tls/tls_context.h"
#include "tests/io/sockets/tls_transport_fixture.h"
#include "tests/support/descriptors.h"
#include "tests/support/protocol_notes.h"

namespace troupe {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class TlsTransportTest : public TlsTransportFixture {};

INSTANTIATE_TEST_SUITE_P(Versions, TlsTransportTest, EveryTlsVersion(),
                         NameOfTlsVersion);

TEST_P(TlsTransportTest, CarriesBytesBothWays) {
  Open();
  Say("hello");
  ASSERT_TRUE(trace_->WaitFor("DR(5)"));
  EXPECT_EQ(received_, "hello");
  Send(CloseTransport{});
  ASSERT_TRUE(trace_->WaitFor("CL(None)"));
  EXPECT_THAT(trace_->events(), ElementsAre("CM", "DR(5)", "CL(None)"));
}

TEST_P(TlsTransportTest, CarriesMegabytesInOrder) {
  ProtocolScript script;
  Open(script);
  std::string sent;
  for (int i = 0; i < 400; ++i) {
    std::string piece(1 + i * 37 % 20000, static_cast<char>('a' + i % 26));
    sent += piece;
    Say(piece);
  }
  Send(WriteEof{});
  ASSERT_TRUE(trace_->WaitFor("CL(None)"));
  EXPECT_TRUE(received_ == sent);
  EXPECT_EQ(trace_->Count("EOF"), 1u);
}

// They would go beside the session (row A25).
TEST_P(TlsTransportTest, RefusesDescriptors) {
  Open();
  FdTicket ticket(MakePipe().first);
  EXPECT_EQ(Answer<Drained>(client_, WriteDescriptors{Bytes("x"), {ticket}}),
            "descriptors do not go through TLS");
  EXPECT_GE(ticket.number(), 0);
  Send(CloseTransport{});
  ASSERT_TRUE(trace_->WaitFor("CL(None)"));
}

TEST_P(TlsTransportTest, RefusesAReceiverOfDescriptors) {
  DescriptorReceiver receiver = system_->spawn<caf::hidden>(
      [](DescriptorReceiver::pointer) -> DescriptorReceiver::behavior_type {
        return {[](const DescriptorsReceived&) {}};
      });
  EXPECT_EQ(Answer<Connected>(NewClient(),
                              ConnectStream{.fd = FdTicket(std::move(ours_)),
                                            .protocol = NewStreamProtocol(),
                                            .descriptors = receiver}),
            "descriptors do not go through TLS");
}

TEST_P(TlsTransportTest, SaysWhatWasAgreed) {
  Open();
  caf::scoped_actor self(*system_);
  self->request(client_, caf::infinite, GetTlsInfo{})
      .receive(
          [&](const TlsInfo& info) {
            EXPECT_EQ(info.version,
                      GetParam() == TlsVersion::kTls12 ? "TLSv1.2" : "TLSv1.3");
            EXPECT_NE(info.cipher, "");
            ASSERT_TRUE(info.peer_certificate.has_value());
            EXPECT_THAT(info.peer_certificate->alternative_names,
                        ElementsAre("DNS:example.org"));
          },
          [](const caf::error& why) { ADD_FAILURE() << StatusOf(why); });
  Send(CloseTransport{});
  ASSERT_TRUE(trace_->WaitFor("CL(None)"));
}

TEST_P(TlsTransportTest, MayBeClosedInConnectionMade) {
  client_ = NewClient();
  ProtocolScript script;
  script.made = [&] {
    Say("bye");
    Send(CloseTransport{});
  };
  auto server = NewServer();
  ProtocolScript theirs;
  theirs.name = "server ";
  auto served = Serve(server, NewStreamProtocol(theirs));
  ASSERT_EQ(Connect(client_, std::move(ours_), NewStreamProtocol(script)), "");
  ASSERT_TRUE(trace_->WaitFor("CL(None)"));
  ASSERT_TRUE(trace_->WaitFor("server CL(None)"));
  EXPECT_EQ(trace_->Count("server DR(3)"), 1u);
  EXPECT_EQ(trace_->Count("server EOF"), 1u);
}

TEST_P(TlsTransportTest, ReadsNothingWhilePaused) {
  ProtocolScript script;
  script.made = [&] { Send(PauseReading{}); };
  Open(script);
  Say("hello");
  for (int i = 0; i < 5; ++i) WaitForIteration(*io_);
  EXPECT_THAT(trace_->events(), ElementsAre("CM"));
  Send(ResumeReading{});
  ASSERT_TRUE(trace_->WaitFor("DR(5)"));
  Send(CloseTransport{});
  ASSERT_TRUE(trace_->WaitFor("CL(None)"));
}

// What was decrypted waits for credit, too, and comes when it is back.
TEST_P(TlsTransportTest, StopsAtTheWindowAndGoesOn) {
  auto held = std::make_shared<std::vector<DataReceived>>();
  std::atomic<bool> hold{true};
  ProtocolScript script;
  script.data = [&, held](DataReceived& data) {
    if (hold) held->push_back(data);
  };
  Open(script);
  const std::string much(4 << 20, 'x');
  Say(much);
  Send(WriteEof{});
  while (Info(client_).reading.in_flight < 256 * 1024) {
  }
  for (int i = 0; i < 5; ++i) WaitForIteration(*io_);
  EXPECT_LE(Info(client_).reading.in_flight, (256 + 66) * 1024u);
  EXPECT_EQ(trace_->Count("EOF"), 0u);
  hold = false;
  system_->spawn<caf::hidden>([held](caf::event_based_actor*) {});
  WaitForIteration(*io_);
  held->clear();
  ASSERT_TRUE(trace_->WaitFor("CL(None)"));
  EXPECT_EQ(received_.size(), much.size());
}

// Somebody has cut it.
TEST_P(TlsTransportTest, EndsWithAnErrorWithoutACloseNotify) {
  auto server = NewServer();
  client_ = NewClient();
  auto served = Serve(server);
  ASSERT_EQ(Connect(client_, std::move(ours_), NewStreamProtocol()), "");
  ASSERT_EQ(served.get(), "");
  caf::anon_send(server, AbortTransport{});
  ASSERT_TRUE(trace_->WaitForPrefix("CL("));
  EXPECT_THAT(trace_->events().back(),
              HasSubstr("connection closed without close_notify"));
  EXPECT_EQ(trace_->Count("EOF"), 0u);
}

// It closes with our tickets unread, which resets the connection (TLS 1.3).
TEST_P(TlsTransportTest, DeliversWhatItHasReadBeforeAnError) {
  const std::string much(4 << 20, 'x');
  for (int i = 0; i < 10; ++i) {
    std::tie(ours_, theirs_) = MakeSocketPair();
    client_ = NewClient();
    ProtocolScript theirs;
    theirs.name = absl::StrCat("server ", i, " ");
    auto served = Serve(NewServer(), NewStreamProtocol(theirs));
    ASSERT_EQ(Connect(client_, std::move(ours_), NewStreamProtocol()), "");
    ASSERT_EQ(served.get(), "");
    received_.clear();
    Say(much);
    Send(CloseTransport{});
    ASSERT_TRUE(trace_->WaitForPrefix(theirs.name + "CL("));
    EXPECT_EQ(received_.size(), much.size());
  }
}

TEST_P(TlsTransportTest, RefusesWritesAfterWriteEof) {
  Open();
  Send(PauseReading{});  // nor hears of the peer's end
  Send(WriteEof{});
  EXPECT_EQ(Ask(client_, Write{Bytes("x"), {}}),
            "Cannot call write() after write_eof()");
  Send(ResumeReading{});
  ASSERT_TRUE(trace_->WaitFor("CL(None) refused 1"));
}

TEST_P(TlsTransportTest, NeedsAStream) {
  std::tie(ours_, theirs_) = MakeSocketPair(SOCK_SEQPACKET);
  EXPECT_EQ(Connect(NewClient(), std::move(ours_), NewStreamProtocol()),
            "TLS needs a stream: this socket keeps message boundaries");
}

TEST_P(TlsTransportTest, SaysOfAPlainStreamThatItHasNoTls) {
  StreamTransport plain = SpawnStreamTransport(host(), io());
  EXPECT_EQ(Answer<TlsInfo>(plain, GetTlsInfo{}), "the connection has no TLS");
}

}  // namespace
}  // namespace troupe
