#include "tests/stress/stream_exchange.h"

#include <cerrno>

#include "absl/status/status.h"
#include "gtest/gtest.h"
#include "io/block_pool.h"
#include "io/os_error.h"
#include "io/read_buffer.h"
#include "io/sockets/stream_messages.h"
#include "tests/stress/stream_player.h"

namespace troupe {
namespace {

void CheckEnd(const StreamEnd& end) {
  EXPECT_EQ(end.report.complaint, "");
  EXPECT_EQ(end.report.made, 1);
  EXPECT_LE(end.report.eofs, 1);
  EXPECT_EQ(end.report.lost, 1);
}

void CheckComplete(const StreamExchange& exchange) {
  const PlayerReport& client = exchange.client.report;
  const PlayerReport& server = exchange.server.report;
  EXPECT_EQ(client.received, server.sent);
  EXPECT_EQ(server.received, client.sent);
  EXPECT_EQ(server.sent, exchange.server.plan.to_send);
  if (exchange.client.plan.after_eof == AfterEof::kHalfOpen) {
    EXPECT_EQ(client.sent, exchange.client.plan.to_send);
  }
  for (const PlayerReport* report : {&client, &server}) {
    EXPECT_TRUE(report->why.ok()) << report->why;
    EXPECT_EQ(report->eofs, 1);
    EXPECT_EQ(report->bytes_lost, 0u);
    EXPECT_EQ(report->writes_refused, 0u);
  }
}

// What arrived is where the other had come to; all that the kernel took from
// the aborter, if the other read to the end.
void CheckAborted(const StreamEnd& aborter, const StreamEnd& other, bool tls) {
  const PlayerReport& gone = aborter.report;
  const PlayerReport& left = other.report;
  EXPECT_TRUE(gone.why.ok()) << gone.why;
  EXPECT_LE(gone.received, left.sent);
  if (!left.why.ok()) {
    const auto failure = OsFailureOf(left.why);
    const bool reset = failure && (failure->error_number == ECONNRESET ||
                                   failure->error_number == EPIPE);
    EXPECT_TRUE(reset || (tls && absl::IsDataLoss(left.why))) << left.why;
  }
  if (tls) {  // what is lost is counted in its bytes
    EXPECT_LE(left.received, gone.sent);
    return;
  }
  const size_t written = gone.sent - gone.bytes_lost;
  EXPECT_LE(left.received, written);
  if (left.eofs == 1) {
    EXPECT_EQ(left.received, written);
  }
}

}  // namespace

size_t StreamEnd::MostInFlight() const {
  return window + Block::kSize + ReadBuffer::kMessageCost;
}

size_t StreamEnd::MostBuffered() const {
  // TLS adds less than a 64th, and a little for each write.
  return kHighMark + plan.max_chunk + plan.max_chunk / 64 + 4096;
}

void ExpectNothingLost(const StreamExchange& exchange, bool tls) {
  const StreamEnd& client = exchange.client;
  const StreamEnd& server = exchange.server;
  CheckEnd(client);
  CheckEnd(server);
  if (client.report.aborted) {
    CheckAborted(client, server, tls);
  } else if (server.report.aborted) {
    CheckAborted(server, client, tls);
  } else {
    CheckComplete(exchange);
  }
}

}  // namespace troupe
