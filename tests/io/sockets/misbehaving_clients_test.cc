// A client that never reads, resets, leaves or half closes harms only itself:
// next to each of them a good one exchanges a thousand messages, and hears of
// nothing else (rows U12, U26, V51). The fixture compares the descriptors.
#include "tests/io/sockets/misbehaving_clients.h"

#include <poll.h>
#include <sys/socket.h>

#include <cstddef>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "io/block_pool.h"
#include "io/read_buffer.h"
#include "io/sockets/stream_transport.h"
#include "tests/io/sockets/raw_client.h"

namespace troupe {
namespace {

using ::testing::AnyOf;
using ::testing::Each;
using ::testing::HasSubstr;

class MisbehavingClientsTest : public MisbehavingClients,
                               public ::testing::WithParamInterface<bool> {
 protected:
  MisbehavingClientsTest() : MisbehavingClients(GetParam()) {}
};

INSTANTIATE_TEST_SUITE_P(Streams, MisbehavingClientsTest, ::testing::Bool(),
                         [](const auto& info) {
                           return info.param ? "Tls" : "Plain";
                         });

TEST_P(MisbehavingClientsTest, LeaveAtOnce) {
  constexpr int kClients = 50;
  Start();
  for (int i = 0; i < kClients; ++i) NewClient().Close();
  if (tls_) {
    ASSERT_TRUE(WaitForTroubles(kClients));
    EXPECT_THAT(Troubles(),
                Each("trouble: TLS handshake: connection closed by the peer"));
  } else {
    for (int i = 1; i <= kClients; ++i) EXPECT_EQ(LossOf(i), "None");
  }
  Finish();
}

// What is unread at a close makes the kernel tell the other side.
TEST_P(MisbehavingClientsTest, Reset) {
  Start();
  RawClient client = ServedClient();
  client.Say("answer me");
  pollfd set = {client.fd().get(), POLLIN, 0};
  ASSERT_EQ(poll(&set, 1, /*timeout_ms=*/20000), 1);
  client.Close();
  EXPECT_THAT(LossOf(1), HasSubstr("Connection reset by peer"));
  Finish();
}

// The server holds what its window allows; what else was said is the kernel's.
TEST_P(MisbehavingClientsTest, NeverRead) {
  constexpr int kClients = 4;
  Start();
  std::vector<RawClient> clients;
  for (int i = 0; i < kClients; ++i) clients.push_back(ServedClient());
  for (int quiet = 0; quiet < 5;) {
    size_t said = 0;
    for (RawClient& client : clients) said += client.SayUntilFull();
    WaitForIteration(*io_);
    quiet = said == 0 ? quiet + 1 : 0;
  }
  for (const StreamTransport& stream : Info().connections) {
    const TransportInfo info = IoTest::Info(stream);
    EXPECT_LE(info.reading.in_flight,
              kWindow + Block::kSize + ReadBuffer::kMessageCost);
    // An echo waits with the credit of what came: it is no more than that.
    EXPECT_LE(info.writing.buffered,
              kWindow + Block::kSize + 2 * ReadBuffer::kMessageCost);
  }
  clients.clear();
  for (int i = 1; i <= kClients; ++i) {
    EXPECT_THAT(LossOf(i), AnyOf(HasSubstr("Connection reset by peer"),
                                 HasSubstr("Broken pipe")));
  }
  Finish();
}

// Row U26: the answer still comes. With TLS it is an end without the goodbye,
// an error, behind which nothing comes.
TEST_P(MisbehavingClientsTest, HalfCloseAndStay) {
  Start();
  RawClient client = ServedClient();
  if (!tls_) client.Say("last words");
  shutdown(client.fd().get(), SHUT_WR);
  if (!tls_) {
    EXPECT_EQ(client.Hear(10), "last words");
  }
  EXPECT_EQ(LossOf(1), tls_ ? "TLS connection: connection closed without "
                              "close_notify"
                            : "None");
  EXPECT_EQ(client.Hear(1), "");
  Finish();
  client.Close();
}

}  // namespace
}  // namespace troupe
