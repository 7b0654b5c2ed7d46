// Streams under load: 1,000 connections, and 100 with TLS, exchange 1 GiB in
// chunks of any size, with pauses, half closes and aborts. Every byte is
// compared, every end counted, memory and descriptors are bounded.
//
// The random numbers' seed is printed; `--test_env=TROUPE_STRESS_SEED=7` takes
// another one.
#include <algorithm>
#include <atomic>
#include <cerrno>
#include <condition_variable>
#include <cstdint>
#include <cstdlib>
#include <iostream>
#include <memory>
#include <mutex>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/config.h"
#include "absl/status/status.h"
#include "caf/scoped_actor.hpp"
#include "caf/send.hpp"
#include "gtest/gtest.h"
#include "io/block_pool.h"
#include "io/io_thread.h"
#include "io/os_error.h"
#include "io/read_buffer.h"
#include "io/sockets/stream_transport.h"
#include "io/sockets/tls_transport.h"
#include "io/sockets/unix_listener.h"
#include "io/sockets/unix_server.h"
#include "io/tls/tls_context.h"
#include "process/descriptor_limit.h"
#include "tests/stress/byte_pattern.h"
#include "tests/stress/process_memory.h"
#include "tests/stress/stream_player.h"
#include "tests/support/certificates.h"
#include "tests/support/stream_fixture.h"
#include "tests/support/unix_sockets.h"

namespace troupe {
namespace {

#ifdef ABSL_HAVE_ADDRESS_SANITIZER
constexpr size_t kTotal = size_t{256} << 20;  // its memory is another's
#else
constexpr size_t kTotal = size_t{1} << 30;
#endif

constexpr size_t kWindow = 16 * 1024;
constexpr size_t kLargeWindow = 256 * 1024;  // of some clients
constexpr size_t kHighMark = 16 * 1024;
constexpr size_t kSmallChunk = 16 * 1024;
constexpr size_t kLargeChunk = 256 * 1024;
// Every so many connections write chunks of up to kLargeChunk.
constexpr int kLargeEvery = 16;

uint64_t Seed() {
  const char* given = getenv("TROUPE_STRESS_SEED");
  const uint64_t seed =
      given != nullptr ? std::stoull(given) : std::random_device()();
  std::cout << "TROUPE_STRESS_SEED=" << seed << std::endl;
  return seed;
}

struct End {
  PlayerPlan plan;
  size_t window = kWindow;
  PlayerReport report;
  StreamTransport stream;
  StreamPlayer player;
};
struct Exchange {
  End client;
  End server;
};

class StreamsStressTest : public StreamTest {
 protected:
  StreamsStressTest() {
    auto clients = IoThread::Start(*system_);
    EXPECT_TRUE(clients.ok()) << clients.status();
    clients_ = *std::move(clients);
    EXPECT_TRUE(RaiseDescriptorLimit().ok());
  }
  ~StreamsStressTest() override {
    io_->Stop();
    clients_.reset();
    exchanges_.clear();
    EXPECT_TRUE(RestoreDescriptorLimit().ok());
  }

  // Most go to their end both ways and carry kTotal bytes. Of the others, a
  // seventh each, one ends when the server has said all, whatever the client
  // would say, and one is aborted by a side.
  void Plan(size_t connections);
  void Serve(TlsContext::Shared tls);
  void ConnectAll(TlsContext::Shared tls);
  // Begins, and looks at transports and memory until the last end is lost.
  void Play();
  void Check(bool tls);

  // What is read ahead: less than the window when a read begins, and what one
  // read may be charged for.
  size_t MostInFlight(const End& end) const {
    return end.window + Block::kSize + ReadBuffer::kMessageCost;
  }
  size_t MostBuffered(const End& end) const {
    // TLS adds less than a 64th, and a little for each write.
    return kHighMark + end.plan.max_chunk + end.plan.max_chunk / 64 + 4096;
  }
  // What windows and marks allow all ends together.
  size_t MostMemory() const {
    size_t sum = 0;
    for (const auto& exchange : exchanges_) {
      for (const End* end : {&exchange->client, &exchange->server}) {
        sum += MostInFlight(*end) + MostBuffered(*end);
      }
    }
    return sum;
  }

  const uint64_t seed_ = Seed();
  std::mt19937_64 random_{seed_};
  const BytePattern pattern_{seed_};
  std::unique_ptr<IoThread> clients_;
  std::vector<std::unique_ptr<Exchange>> exchanges_;
  SocketAddress address_ = FreshAddress();
  UnixServer server_;
  std::mutex mutex_;  // guards accepted_ and the servers' ends
  std::condition_variable all_there_;
  size_t accepted_ = 0;

 private:
  void LookAt(const End& end);
  void CheckEnd(const End& end) const;
  void CheckComplete(const Exchange& exchange) const;
  void CheckAborted(const End& aborter, const End& other, bool tls) const;
};

void StreamsStressTest::Plan(size_t connections) {
  std::uniform_real_distribution<> weight(0.0, 1.0);
  std::vector<double> weights(2 * connections);
  std::generate(weights.begin(), weights.end(),
                [&] { return random_() % 16 == 0 ? 0 : weight(random_); });
  std::vector<int> kinds(connections);
  double complete = 0;
  for (size_t i = 0; i < connections; ++i) {
    kinds[i] = random_() % 7;
    if (kinds[i] > 1) complete += weights[2 * i] + weights[2 * i + 1];
  }
  for (size_t i = 0; i < connections; ++i) {
    auto exchange = std::make_unique<Exchange>();
    PlayerPlan* ends[] = {&exchange->client.plan, &exchange->server.plan};
    for (size_t side = 0; side < 2; ++side) {
      PlayerPlan& plan = *ends[side];
      plan.seed = random_();
      plan.out = 2 * i + side;
      plan.in = 2 * i + 1 - side;
      const double weight = weights[plan.out];
      plan.to_send = weight == 0 ? 0 : weight / complete * kTotal + 1;
      plan.max_chunk = i % kLargeEvery == 0 ? kLargeChunk : kSmallChunk;
    }
    if (kinds[i] == 0) ends[0]->after_eof = AfterEof::kClose;
    if (kinds[i] == 1) {
      ends[random_() % 2]->abort_after =
          random_() % (ends[0]->to_send + ends[1]->to_send + 1);
    }
    // On a worker: what was read waits for it while more is read.
    if (i % 8 == 3) exchange->client.window = kLargeWindow;
    exchanges_.push_back(std::move(exchange));
  }
}

// The kernel hands out connections in the order in which they were made, and
// they are made one after the other.
void StreamsStressTest::Serve(TlsContext::Shared tls) {
  auto listener = UnixListener::Adopt(ListenAt(address_, 128));
  ASSERT_TRUE(listener.ok()) << listener.status();
  UnixServerOptions options;
  options.transport.window = kWindow;
  options.tls = std::move(tls);
  options.new_protocol = [this](const StreamTransport& stream) {
    std::lock_guard<std::mutex> lock(mutex_);
    const size_t n = accepted_++;
    all_there_.notify_one();
    End& end = exchanges_[n]->server;
    end.stream = stream;
    end.player = n % 2 == 0
                     ? SpawnResidentPlayer(host(), stream, io(), end.plan,
                                           pattern_, &end.report)
                     : SpawnPlayer(*system_, stream, io(), end.plan, pattern_,
                                   &end.report);
    return StreamProtocol(end.player);
  };
  options.after_eof = AfterEof::kHalfOpen;
  server_ =
      SpawnUnixServer(host(), io(), *std::move(listener), std::move(options));
  ASSERT_EQ(Answer<Serving>(server_, StartServing{}), "");
}

void StreamsStressTest::ConnectAll(TlsContext::Shared tls) {
  for (size_t i = 0; i < exchanges_.size(); ++i) {
    End& end = exchanges_[i]->client;
    IoThread& io = *clients_;
    const StreamTransportOptions options = {.window = end.window};
    end.stream = tls == nullptr
                     ? SpawnStreamTransport(io.host(), io.actor(), options)
                     : SpawnTlsTransport(io.host(), io.actor(),
                                         {.context = tls, .stream = options});
    end.player = i % 4 < 2
                     ? SpawnResidentPlayer(io.host(), end.stream, io.actor(),
                                           end.plan, pattern_, &end.report)
                     : SpawnPlayer(*system_, end.stream, io.actor(), end.plan,
                                   pattern_, &end.report);
    ConnectUnix request{address_, end.player};
    request.after_eof = end.plan.after_eof;
    ASSERT_EQ(Answer<Connected>(end.stream, std::move(request)), "");
  }
  std::unique_lock<std::mutex> lock(mutex_);
  all_there_.wait(lock, [this] { return accepted_ == exchanges_.size(); });
}

void StreamsStressTest::LookAt(const End& end) {
  caf::scoped_actor self(*system_);
  self->request(end.stream, caf::infinite, GetTransportInfo{})
      .receive(
          [&](const TransportInfo& info) {
            EXPECT_LE(info.reading.in_flight, MostInFlight(end));
            EXPECT_LE(info.writing.buffered, MostBuffered(end));
          },
          [](const caf::error&) {});  // it is over
}

void StreamsStressTest::Play() {
  const size_t before = ResidentBytes();
  size_t most = before;
  for (const auto& exchange : exchanges_) {
    for (End* end : {&exchange->client, &exchange->server}) {
      caf::anon_send(end->stream, SetWriteBufferLimits{kHighMark, {}});
      caf::anon_send(end->player, Begin{});
    }
  }
  for (const auto& exchange : exchanges_) {
    for (End* end : {&exchange->client, &exchange->server}) {
      while (end->report.lost == 0) {
        const Exchange& any = *exchanges_[random_() % exchanges_.size()];
        LookAt(any.client);
        LookAt(any.server);
        most = std::max(most, ResidentBytes());
      }
    }
  }
  std::cout << "memory: " << (most - before) / 1024 << " KiB of "
            << MostMemory() / 1024 << std::endl;
#ifndef ABSL_HAVE_ADDRESS_SANITIZER
  EXPECT_LE(most - before, MostMemory());
#endif
}

// -- what came of it ----------------------------------------------------------

void StreamsStressTest::CheckEnd(const End& end) const {
  EXPECT_EQ(end.report.complaint, "");
  EXPECT_EQ(end.report.made, 1);
  EXPECT_LE(end.report.eofs, 1);
  EXPECT_EQ(end.report.lost, 1);
}

void StreamsStressTest::CheckComplete(const Exchange& exchange) const {
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
void StreamsStressTest::CheckAborted(const End& aborter, const End& other,
                                     bool tls) const {
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

void StreamsStressTest::Check(bool tls) {
  size_t arrived = 0, aborted = 0, pauses = 0;
  for (size_t i = 0; i < exchanges_.size(); ++i) {
    SCOPED_TRACE(testing::Message() << "connection " << i);
    const Exchange& exchange = *exchanges_[i];
    const End& client = exchange.client;
    const End& server = exchange.server;
    CheckEnd(client);
    CheckEnd(server);
    if (client.report.aborted) {
      CheckAborted(client, server, tls);
    } else if (server.report.aborted) {
      CheckAborted(server, client, tls);
    } else {
      CheckComplete(exchange);
    }
    arrived += client.report.received + server.report.received;
    aborted += client.report.aborted + server.report.aborted;
    pauses += client.report.pauses + server.report.pauses;
  }
  std::cout << arrived / 1024 << " KiB arrived, " << aborted << " aborts, "
            << pauses << " times over the mark" << std::endl;
  EXPECT_GE(arrived, kTotal);
  EXPECT_GT(aborted, 0u);
  EXPECT_GT(pauses, 0u);
}

TEST_F(StreamsStressTest, AThousandConnectionsLoseNothing) {
  Plan(1000);
  Serve(nullptr);
  ConnectAll(nullptr);
  Play();
  caf::anon_send(server_, StopServing{});
  EXPECT_EQ(Answer<ServerClosed>(server_, WaitClosed{}), "");
  Check(/*tls=*/false);
}

TEST_F(StreamsStressTest, AHundredConnectionsWithTlsLoseNothing) {
  const CertificateAuthority ca("CA");
  const IssuedCertificate issued = ca.Issue({.name = "server"});
  auto server = TlsContext::Server({.certificate_chain_file = issued.chain_file,
                                    .private_key_file = issued.key_file});
  auto client = TlsContext::Client({.ca_file = ca.certificate_file()});
  ASSERT_TRUE(server.ok() && client.ok());
  Plan(100);
  Serve(*server);
  ConnectAll(*client);
  Play();
  caf::anon_send(server_, StopServing{});
  EXPECT_EQ(Answer<ServerClosed>(server_, WaitClosed{}), "");
  Check(/*tls=*/true);
}

}  // namespace
}  // namespace troupe
