// The handshake of a TLS transport: what waits for it, what it refuses, and
// when it is given up (rows U21, U33).
#include <string>
#include <utility>

#include "absl/time/time.h"
#include "caf/scoped_actor.hpp"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "io/fd_ticket.h"
#include "io/sockets/stream_messages.h"
#include "io/sockets/stream_transport.h"
#include "io/sockets/tls_transport.h"
#include "io/status_error.h"
#include "io/tls/tls_context.h"
#include "tests/io/sockets/tls_transport_fixture.h"
#include "tests/support/certificates.h"
#include "tests/support/descriptors.h"
#include "tests/support/protocol_notes.h"

namespace troupe {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;

class TlsHandshakeTest : public TlsTransportFixture {};

INSTANTIATE_TEST_SUITE_P(Versions, TlsHandshakeTest, EveryTlsVersion(),
                         NameOfTlsVersion);

TEST_P(TlsHandshakeTest, WritesWhatWasWrittenBeforeTheHandshake) {
  client_ = NewClient();
  Say("early ");
  ProtocolScript script;
  script.made = [&] {
    Say("made");
    Send(WriteEof{});
  };
  auto served = Serve(NewServer());
  ASSERT_EQ(Connect(client_, std::move(ours_), NewStreamProtocol(script)), "");
  ASSERT_TRUE(trace_->WaitFor("CL(None)"));
  EXPECT_EQ(received_, "early made");
  EXPECT_EQ(served.get(), "");
}

TEST_P(TlsHandshakeTest, RefusesAServerOfAnotherName) {
  auto served = Serve(NewServer());
  EXPECT_THAT(
      Connect(NewClient("example.com"), std::move(ours_), NewStreamProtocol()),
      HasSubstr("TLS handshake with \"example.com\": certificate verify "
                "failed: hostname mismatch"));
  EXPECT_NE(served.get(), "");
  EXPECT_THAT(trace_->events(), IsEmpty());
}

TEST_P(TlsHandshakeTest, RefusesAServerOfAnotherAuthority) {
  const CertificateAuthority other("other");
  auto served = Serve(NewServer());
  EXPECT_THAT(
      Connect(NewClient("example.org", {.ca_file = other.certificate_file()}),
              std::move(ours_), NewStreamProtocol()),
      HasSubstr("certificate verify failed"));
  EXPECT_THAT(served.get(), HasSubstr("alert"));
}

TEST_P(TlsHandshakeTest, RefusesAClientWithoutACertificate) {
  auto served = Serve(NewServer(
      {.ca_file = ca_.certificate_file(), .require_client_certificate = true}));
  client_ = NewClient();
  // With TLS 1.3 it is connected before the server has looked.
  const std::string refusal =
      Connect(client_, std::move(ours_), NewStreamProtocol());
  EXPECT_THAT(served.get(), HasSubstr("did not return a certificate"));
  if (GetParam() == TlsVersion::kTls12) {
    EXPECT_NE(refusal, "");
  } else {
    ASSERT_EQ(refusal, "");
    ASSERT_TRUE(trace_->WaitForPrefix("CL("));
    EXPECT_THAT(trace_->events().back(), HasSubstr("certificate required"));
  }
}

TEST_P(TlsHandshakeTest, RefusesGarbageInsteadOfAHandshake) {
  ProtocolScript script;
  auto server = NewServer();
  auto served = Serve(server, NewStreamProtocol());
  WriteFully(ours_, "GET / HTTP/1.1\r\n\r\n");
  EXPECT_THAT(served.get(), HasSubstr("TLS handshake"));
  EXPECT_THAT(trace_->events(), IsEmpty());
}

// Row U33: 60 s by default.
TEST_P(TlsHandshakeTest, GivesUpAHandshakeThatDoesNotEnd) {
  StreamTransport client =
      SpawnTlsTransport(host(), io(),
                        {.context = ClientContext(),
                         .server_hostname = "example.org",
                         .handshake_timeout = absl::Milliseconds(20)});
  EXPECT_EQ(Connect(client, std::move(ours_), NewStreamProtocol()),
            "TLS handshake took longer than 20ms");
}

TEST_P(TlsHandshakeTest, MayBeCalledOffInTheHandshake) {
  client_ = NewClient();
  auto connected = Later(client_, WriteLines{});  // it is there
  caf::scoped_actor self(*system_);
  auto answer = self->request(
      client_, caf::infinite,
      ConnectStream{FdTicket(std::move(ours_)), NewStreamProtocol()});
  Send(CloseTransport{});
  answer.receive([](const Connected&) { ADD_FAILURE() << "connected"; },
                 [](const caf::error& why) {
                   EXPECT_EQ(StatusOf(why).message(),
                             "the transport is closed");
                 });
  EXPECT_NE(connected.get(), "");
}

TEST_P(TlsHandshakeTest, SaysThatAHostNameIsNone) {
  EXPECT_NE(
      Connect(NewClient("no name"), std::move(ours_), NewStreamProtocol()), "");
}

}  // namespace
}  // namespace troupe
