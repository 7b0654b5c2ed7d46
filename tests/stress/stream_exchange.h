// A connection under load: what each of its ends plans, who plays it, and what
// it was told; how much it may hold meanwhile, and what must have come of it.
//
//   exchange.client.player = SpawnPlayer(..., &exchange.client.report);
//   ... both ends are lost ...
//   ExpectNothingLost(exchange, /*tls=*/false);
#ifndef TROUPE_TESTS_STRESS_STREAM_EXCHANGE_H_
#define TROUPE_TESTS_STRESS_STREAM_EXCHANGE_H_

#include <cstddef>

#include "io/sockets/stream_messages.h"
#include "tests/stress/stream_player.h"

namespace troupe {

struct StreamEnd {
  static constexpr size_t kWindow = 16 * 1024;
  static constexpr size_t kHighMark = 16 * 1024;

  // What is read ahead: less than the window when a read begins, and what one
  // read may be charged for.
  size_t MostInFlight() const;
  // What waits to be written.
  size_t MostBuffered() const;

  PlayerPlan plan;
  size_t window = kWindow;
  PlayerReport report;
  StreamTransport stream;
  StreamPlayer player;
};

struct StreamExchange {
  StreamEnd client;
  StreamEnd server;

  bool aborted() const {
    return client.report.aborted || server.report.aborted;
  }
};

// Without an abort each end has what the other has sent, all of it; with one,
// what arrived is where the other had come to.
void ExpectNothingLost(const StreamExchange& exchange, bool tls);

}  // namespace troupe

#endif  // TROUPE_TESTS_STRESS_STREAM_EXCHANGE_H_
