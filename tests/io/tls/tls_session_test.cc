// Plaintext from one end to the other.
#include "io/tls/tls_session.h"

#include <openssl/err.h>

#include <algorithm>
#include <random>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "io/bytes.h"
#include "io/tls/tls_context.h"
#include "tests/io/tls/tls_pair.h"
#include "tests/io/tls/traced_bytes.h"

namespace troupe {
namespace {

constexpr size_t kRecord = 16384;
// What a record is longer than its plaintext, at most, in either version.
constexpr size_t kOverhead = 64;

std::string RandomText(size_t size) {
  std::mt19937 random(7);
  std::string text(size, '\0');
  for (char& c : text) c = static_cast<char>(random());
  return text;
}

class TlsSessionTest : public EachTlsVersion {
 protected:
  TlsPair pair_ = Connect();
  TlsSession& client_end_ = *pair_.client;
  TlsSession& server_end_ = *pair_.server;
};

INSTANTIATE_TEST_SUITE_P(, TlsSessionTest,
                         ::testing::Values(TlsVersion::kTls12,
                                           TlsVersion::kTls13),
                         VersionName);

TEST_P(TlsSessionTest, CarriesTextBothWays) {
  EXPECT_EQ(client_end_.Write("ping"), absl::OkStatus());
  Move(client_end_, server_end_);
  EXPECT_EQ(TextFrom(server_end_), "ping");
  EXPECT_EQ(server_end_.Write("pong"), absl::OkStatus());
  Move(server_end_, client_end_);
  EXPECT_EQ(TextFrom(client_end_), "pong");
}

TEST_P(TlsSessionTest, CarriesCiphertextAndNoPlaintext) {
  EXPECT_EQ(client_end_.Write("a secret of ours"), absl::OkStatus());
  EXPECT_THAT(TakeAll(client_end_),
              ::testing::Not(::testing::HasSubstr("secret")));
}

TEST_P(TlsSessionTest, ReadsNothingWhereNothingIs) {
  TextFrom(client_end_);
  char room[10];
  auto result = client_end_.Read(room);
  EXPECT_TRUE(result->would_block);
  EXPECT_EQ(result->size, 0u);
}

// So nobody needs to ask again.
TEST_P(TlsSessionTest, SaysThatItHasGivenAll) {
  ASSERT_EQ(client_end_.Write("all"), absl::OkStatus());
  Move(client_end_, server_end_);
  char room[10];
  auto some = server_end_.Read(absl::MakeSpan(room, 2));
  EXPECT_FALSE(some->would_block);
  auto rest = server_end_.Read(room);
  EXPECT_EQ(rest->size, 1u);
  EXPECT_TRUE(rest->would_block);
}

// An empty room is not the end of the stream.
TEST_P(TlsSessionTest, ReadsNothingIntoNoRoom) {
  ASSERT_EQ(client_end_.Write("x"), absl::OkStatus());
  Move(client_end_, server_end_);
  EXPECT_TRUE(server_end_.Read({})->would_block);
  EXPECT_EQ(TextFrom(server_end_), "x");
}

TEST_P(TlsSessionTest, WritesNothingForNothing) {
  EXPECT_EQ(client_end_.Write(""), absl::OkStatus());
  EXPECT_EQ(client_end_.output_size(), 0u);
}

TEST_P(TlsSessionTest, NeedsNoWholeRecords) {
  ASSERT_EQ(client_end_.Write("byte by byte"), absl::OkStatus());
  ASSERT_EQ(client_end_.Write(", twice"), absl::OkStatus());
  std::string got;
  for (char byte : TakeAll(client_end_)) {
    server_end_.Receive(Bytes(std::string(1, byte)));
    EXPECT_EQ(ReadAll(server_end_, &got), absl::OkStatus());
  }
  EXPECT_EQ(got, "byte by byte, twice");
}

TEST_P(TlsSessionTest, FillsTheRoomFromManyRecordsAndPieces) {
  for (int i = 0; i < 100; ++i) {
    ASSERT_EQ(client_end_.Write("0123456789"), absl::OkStatus());
  }
  Move(client_end_, server_end_);
  char room[995];
  EXPECT_EQ(server_end_.Read(room)->size, 995u);
  EXPECT_EQ(server_end_.Read(room)->size, 5u);
  EXPECT_TRUE(server_end_.Read(room)->would_block);
}

TEST_P(TlsSessionTest, KeepsTheOrderOfPieces) {
  for (const char* text : {"one ", "two ", "three"}) {
    ASSERT_EQ(client_end_.Write(text), absl::OkStatus());
  }
  server_end_.Receive(client_end_.TakeOutput());
  server_end_.Receive(client_end_.TakeOutput());
  char room[4];
  EXPECT_EQ(server_end_.Read(room)->size, 4u);
  server_end_.Receive(client_end_.TakeOutput());
  EXPECT_EQ(TextFrom(server_end_), "two three");
}

TEST_P(TlsSessionTest, LosesNothingOfMegabytesReadInSmallBits) {
  const std::string text = RandomText(3 << 20);
  ASSERT_EQ(client_end_.Write(text), absl::OkStatus());
  ASSERT_EQ(server_end_.Write(text), absl::OkStatus());
  Move(client_end_, server_end_);
  Move(server_end_, client_end_);
  std::string to_server, to_client;
  EXPECT_EQ(ReadAll(server_end_, &to_server, 7), absl::OkStatus());
  EXPECT_EQ(ReadAll(client_end_, &to_client, 1000), absl::OkStatus());
  EXPECT_TRUE(to_server == text);
  EXPECT_TRUE(to_client == text);
}

TEST_P(TlsSessionTest, LosesNothingOfPiecesOfAnySize) {
  const std::string text = RandomText(1 << 20);
  std::mt19937 random(3);
  std::string wire, got;
  for (size_t at = 0; at < text.size();) {
    const size_t size = std::min<size_t>(random() % 40000, text.size() - at);
    ASSERT_EQ(client_end_.Write(absl::string_view(text).substr(at, size)),
              absl::OkStatus());
    at += size;
    wire += TakeAll(client_end_);
  }
  for (size_t at = 0; at < wire.size();) {
    const size_t size = 1 + random() % 30000;
    server_end_.Receive(Bytes(wire.substr(at, size)));
    at += size;
    if (random() % 2) {
      EXPECT_EQ(ReadAll(server_end_, &got), absl::OkStatus());
    }
  }
  EXPECT_EQ(ReadAll(server_end_, &got), absl::OkStatus());
  EXPECT_TRUE(got == text);
}

// A caller that bounds it needs no other number.
TEST_P(TlsSessionTest, SaysHowMuchOutputWaits) {
  size_t size = client_end_.output_size();
  for (int i = 1; i <= 10; ++i) {
    ASSERT_EQ(client_end_.Write(std::string(kRecord, 'x')), absl::OkStatus());
    EXPECT_GT(client_end_.output_size(), size + kRecord);
    EXPECT_LE(client_end_.output_size(), size + kRecord + kOverhead);
    size = client_end_.output_size();
  }
  const Bytes first = client_end_.TakeOutput();
  EXPECT_EQ(client_end_.output_size(), size - first.size());
  EXPECT_EQ(TakeAll(client_end_).size(), size - first.size());
  EXPECT_EQ(client_end_.output_size(), 0u);
}

TEST_P(TlsSessionTest, MakesAPieceOfEachRecord) {
  ASSERT_EQ(client_end_.Write(std::string(3 * kRecord + 1, 'x')),
            absl::OkStatus());
  for (size_t expected : {kRecord, kRecord, kRecord, size_t{1}}) {
    const size_t size = client_end_.TakeOutput().size();
    EXPECT_GT(size, expected);
    EXPECT_LE(size, expected + kOverhead);
  }
  EXPECT_TRUE(client_end_.TakeOutput().empty());
}

TEST_P(TlsSessionTest, GivesOutputThatOutlivesIt) {
  ASSERT_EQ(client_end_.Write("last words"), absl::OkStatus());
  Bytes piece = client_end_.TakeOutput();
  pair_.client.reset();
  server_end_.Receive(piece);
  EXPECT_EQ(TextFrom(server_end_), "last words");
}

// A pooled block of 64 KiB must not wait for the rest of a record.
TEST_P(TlsSessionTest, LetsInputGoOnceItIsRead) {
  ASSERT_EQ(client_end_.Write("12345"), absl::OkStatus());
  const std::string wire = TakeAll(client_end_);
  int alive = 0;
  server_end_.Receive(TracedBytes(wire.substr(0, 9), &alive));
  server_end_.Receive(TracedBytes(wire.substr(9, 9), &alive));
  EXPECT_EQ(alive, 2);
  EXPECT_EQ(TextFrom(server_end_), "");
  EXPECT_EQ(alive, 0);
  server_end_.Receive(TracedBytes(wire.substr(18), &alive));
  EXPECT_EQ(TextFrom(server_end_), "12345");
  EXPECT_EQ(alive, 0);
}

TEST_P(TlsSessionTest, KeepsACopyOfASmallPiece) {
  ASSERT_EQ(client_end_.Write("12345"), absl::OkStatus());
  const std::string wire = TakeAll(client_end_);
  int alive = 0;
  for (const auto& piece : {wire.substr(0, 9), wire.substr(9)}) {
    server_end_.Receive(TracedBytes(piece, &alive));
    server_end_.KeepCopy();
    EXPECT_EQ(alive, 0);
  }
  EXPECT_EQ(TextFrom(server_end_), "12345");
}

// A copy would cost more than the block.
TEST_P(TlsSessionTest, KeepsALargePieceAsItIs) {
  int alive = 0;
  server_end_.Receive(TracedBytes(std::string(5000, 'x'), &alive));
  server_end_.KeepCopy();
  EXPECT_EQ(alive, 1);
  std::string nothing;
  EXPECT_FALSE(ReadAll(server_end_, &nothing).ok());
}

TEST_P(TlsSessionTest, LetsInputGoWhenItFails) {
  int alive = 0;
  server_end_.Receive(TracedBytes(std::string(100, 'x'), &alive));
  server_end_.Receive(TracedBytes(std::string(100, 'x'), &alive));
  std::string nothing;
  EXPECT_FALSE(ReadAll(server_end_, &nothing).ok());
  EXPECT_EQ(alive, 0);
  server_end_.Receive(TracedBytes("more", &alive));
  EXPECT_EQ(alive, 0);
}

TEST_P(TlsSessionTest, RefusesWhatWasTamperedWith) {
  ASSERT_EQ(client_end_.Write("pay 100"), absl::OkStatus());
  std::string wire = TakeAll(client_end_);
  wire.back() ^= 1;
  server_end_.Receive(Bytes(wire));
  std::string got;
  EXPECT_EQ(ReadAll(server_end_, &got),
            absl::InvalidArgumentError("TLS connection: decryption failed or "
                                       "bad record mac"));
  EXPECT_EQ(got, "");
  Move(server_end_, client_end_);
  EXPECT_EQ(ReadAll(client_end_, &got),
            absl::PermissionDeniedError(
                "TLS connection with \"example.org\": peer sent alert: "
                "bad record mac"));
}

// What came before it is good.
TEST_P(TlsSessionTest, GivesWhatItHasBeforeItFails) {
  ASSERT_EQ(client_end_.Write("good"), absl::OkStatus());
  Move(client_end_, server_end_);
  server_end_.Receive(Bytes::Copy("garbage garbage"));
  char room[100];
  EXPECT_EQ(server_end_.Read(room)->size, 4u);
  EXPECT_EQ(server_end_.Read(room).status().code(),
            absl::StatusCode::kInvalidArgument);
}

// OpenSSL's queue of errors is the thread's; others leave things in it.
TEST_P(TlsSessionTest, IsNotBlamedForTheErrorsOfOthers) {
  ERR_raise(ERR_LIB_USER, 1);
  EXPECT_EQ(client_end_.Write("fine"), absl::OkStatus());
  const std::string wire = TakeAll(client_end_);
  server_end_.Receive(Bytes(wire.substr(0, 10)));
  ERR_raise(ERR_LIB_USER, 1);
  EXPECT_EQ(TextFrom(server_end_), "");
  server_end_.Receive(Bytes(wire.substr(10)));
  EXPECT_EQ(TextFrom(server_end_), "fine");
}

TEST_P(TlsSessionTest, SharesItsContext) {
  auto context = TlsContext::Server(server_);
  auto first = TlsSession::Server(*context);
  auto second = TlsSession::Server(*context);
  context = absl::CancelledError();
  TlsPair one = {.client = std::move(MakePair().client),
                 .server = *std::move(first)};
  TlsPair two = {.client = std::move(MakePair().client),
                 .server = *std::move(second)};
  one.Shake();
  two.Shake();
  EXPECT_TRUE(one.server->handshake_done());
  EXPECT_TRUE(two.server->handshake_done());
}

}  // namespace
}  // namespace troupe
