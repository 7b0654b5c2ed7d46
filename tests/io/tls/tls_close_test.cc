// How a connection ends: by close_notify on each side, or cut.
#include <string>

#include "absl/status/status.h"
#include "gtest/gtest.h"
#include "io/bytes.h"
#include "io/tls/tls_session.h"
#include "tests/io/tls/tls_pair.h"
#include "tests/io/tls/traced_bytes.h"

namespace troupe {
namespace {

class TlsCloseTest : public EachTlsVersion {
 protected:
  // Reads to the end, which must be one.
  static std::string TextToTheEnd(TlsSession& session) {
    std::string text;
    EXPECT_EQ(ReadAll(session, &text), absl::CancelledError("the end"));
    return text;
  }

  TlsPair pair_ = Connect();
  TlsSession& client_end_ = *pair_.client;
  TlsSession& server_end_ = *pair_.server;
};

INSTANTIATE_TEST_SUITE_P(, TlsCloseTest,
                         ::testing::Values(TlsVersion::kTls12,
                                           TlsVersion::kTls13),
                         VersionName);

TEST_P(TlsCloseTest, EndsAfterWhatWasWritten) {
  ASSERT_EQ(client_end_.Write("all"), absl::OkStatus());
  EXPECT_EQ(client_end_.Close(), absl::OkStatus());
  Move(client_end_, server_end_);
  EXPECT_EQ(TextToTheEnd(server_end_), "all");
  EXPECT_EQ(TextToTheEnd(server_end_), "");
}

TEST_P(TlsCloseTest, EndsOnBothSides) {
  EXPECT_EQ(client_end_.Close(), absl::OkStatus());
  EXPECT_EQ(server_end_.Close(), absl::OkStatus());
  Move(client_end_, server_end_);
  Move(server_end_, client_end_);
  server_end_.ReceiveEnd();
  client_end_.ReceiveEnd();
  EXPECT_EQ(TextToTheEnd(server_end_), "");
  EXPECT_EQ(TextToTheEnd(client_end_), "");
}

TEST_P(TlsCloseTest, AnswersACloseWithAClose) {
  EXPECT_EQ(client_end_.Close(), absl::OkStatus());
  Move(client_end_, server_end_);
  EXPECT_EQ(TextToTheEnd(server_end_), "");
  EXPECT_EQ(server_end_.Close(), absl::OkStatus());
  EXPECT_TRUE(Move(server_end_, client_end_));
  EXPECT_EQ(TextToTheEnd(client_end_), "");
}

TEST_P(TlsCloseTest, SaysItOnce) {
  EXPECT_EQ(client_end_.Close(), absl::OkStatus());
  EXPECT_FALSE(TakeAll(client_end_).empty());
  EXPECT_EQ(client_end_.Close(), absl::OkStatus());
  EXPECT_EQ(client_end_.output_size(), 0u);
}

TEST_P(TlsCloseTest, TakesNothingAfterIt) {
  EXPECT_EQ(client_end_.Close(), absl::OkStatus());
  EXPECT_EQ(client_end_.Write("more"),
            absl::FailedPreconditionError(
                "TLS connection with \"example.org\": write after close"));
  Move(client_end_, server_end_);
  EXPECT_EQ(TextToTheEnd(server_end_), "");
}

// RFC 8446, 6.1: each side closes its own direction.
TEST_P(TlsCloseTest, WritesOnAfterThePeerHasClosed) {
  EXPECT_EQ(client_end_.Close(), absl::OkStatus());
  Move(client_end_, server_end_);
  EXPECT_EQ(TextToTheEnd(server_end_), "");
  EXPECT_EQ(server_end_.Write("the answer"), absl::OkStatus());
  EXPECT_EQ(server_end_.Close(), absl::OkStatus());
  Move(server_end_, client_end_);
  EXPECT_EQ(TextToTheEnd(client_end_), "the answer");
}

TEST_P(TlsCloseTest, TellsACutFromAnEnd) {
  ASSERT_EQ(client_end_.Write("half of"), absl::OkStatus());
  Move(client_end_, server_end_);
  server_end_.ReceiveEnd();
  std::string text;
  const absl::Status status = ReadAll(server_end_, &text);
  EXPECT_EQ(status,
            absl::DataLossError("TLS connection: connection closed without "
                                "close_notify"));
  EXPECT_EQ(text, "half of");
  EXPECT_EQ(server_end_.Write("x"), status);
}

TEST_P(TlsCloseTest, TellsACutInTheMiddleOfARecord) {
  ASSERT_EQ(client_end_.Write("half of"), absl::OkStatus());
  std::string wire = TakeAll(client_end_);
  server_end_.Receive(Bytes(wire.substr(0, wire.size() - 1)));
  server_end_.ReceiveEnd();
  std::string text;
  EXPECT_EQ(ReadAll(server_end_, &text).code(), absl::StatusCode::kDataLoss);
  EXPECT_EQ(text, "");
}

// What a peer says after its end is nobody's business, and takes no memory.
TEST_P(TlsCloseTest, IgnoresWhatComesAfterTheEnd) {
  EXPECT_EQ(client_end_.Close(), absl::OkStatus());
  Move(client_end_, server_end_);
  int alive = 0;
  server_end_.Receive(TracedBytes("garbage", &alive));
  EXPECT_EQ(TextToTheEnd(server_end_), "");
  server_end_.Receive(TracedBytes("garbage", &alive));
  EXPECT_EQ(alive, 0);
  server_end_.ReceiveEnd();
  EXPECT_EQ(TextToTheEnd(server_end_), "");
  EXPECT_EQ(server_end_.Write("fine"), absl::OkStatus());
}

}  // namespace
}  // namespace troupe
