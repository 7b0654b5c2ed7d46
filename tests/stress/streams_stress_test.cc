// Streams under load: 1,000 connections, and 100 with TLS, exchange 1 GiB in
// chunks of any size, with pauses, half closes and aborts. Every byte is
// compared, every end counted, memory and descriptors are bounded.
//
// The random numbers' seed is printed; `--test_env=TROUPE_STRESS_SEED=7` takes
// another one.
#include <algorithm>
#include <atomic>
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
#include "caf/scoped_actor.hpp"
#include "caf/send.hpp"
#include "gtest/gtest.h"
#include "io/io_thread.h"
#include "io/sockets/stream_transport.h"
#include "io/sockets/tls_transport.h"
#include "io/sockets/unix_listener.h"
#include "io/sockets/unix_server.h"
#include "io/tls/tls_context.h"
#include "process/descriptor_limit.h"
#include "tests/stress/byte_pattern.h"
#include "tests/stress/process_memory.h"
#include "tests/stress/stream_exchange.h"
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

constexpr size_t kLargeWindow = 256 * 1024;  // of some clients
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

  // What windows and marks allow all ends together.
  size_t MostMemory() const {
    size_t sum = 0;
    for (const auto& exchange : exchanges_) {
      for (const StreamEnd* end : {&exchange->client, &exchange->server}) {
        sum += end->MostInFlight() + end->MostBuffered();
      }
    }
    return sum;
  }

  const uint64_t seed_ = Seed();
  std::mt19937_64 random_{seed_};
  const BytePattern pattern_{seed_};
  std::unique_ptr<IoThread> clients_;
  std::vector<std::unique_ptr<StreamExchange>> exchanges_;
  SocketAddress address_ = FreshAddress();
  UnixServer server_;
  std::mutex mutex_;  // guards accepted_ and the servers' ends
  std::condition_variable all_there_;
  size_t accepted_ = 0;

 private:
  void LookAt(const StreamEnd& end);
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
    auto exchange = std::make_unique<StreamExchange>();
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
  options.transport.window = StreamEnd::kWindow;
  options.tls = std::move(tls);
  options.new_protocol = [this](const StreamTransport& stream) {
    std::lock_guard<std::mutex> lock(mutex_);
    const size_t n = accepted_++;
    all_there_.notify_one();
    StreamEnd& end = exchanges_[n]->server;
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
    StreamEnd& end = exchanges_[i]->client;
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

void StreamsStressTest::LookAt(const StreamEnd& end) {
  caf::scoped_actor self(*system_);
  self->request(end.stream, caf::infinite, GetTransportInfo{})
      .receive(
          [&](const TransportInfo& info) {
            EXPECT_LE(info.reading.in_flight, end.MostInFlight());
            EXPECT_LE(info.writing.buffered, end.MostBuffered());
          },
          [](const caf::error&) {});  // it is over
}

void StreamsStressTest::Play() {
  const size_t before = ResidentBytes();
  size_t most = before;
  for (const auto& exchange : exchanges_) {
    for (StreamEnd* end : {&exchange->client, &exchange->server}) {
      caf::anon_send(end->stream,
                     SetWriteBufferLimits{StreamEnd::kHighMark, {}});
      caf::anon_send(end->player, Begin{});
    }
  }
  for (const auto& exchange : exchanges_) {
    for (StreamEnd* end : {&exchange->client, &exchange->server}) {
      while (end->report.lost == 0) {
        const StreamExchange& any = *exchanges_[random_() % exchanges_.size()];
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

void StreamsStressTest::Check(bool tls) {
  size_t arrived = 0, aborted = 0, pauses = 0;
  for (size_t i = 0; i < exchanges_.size(); ++i) {
    SCOPED_TRACE(testing::Message() << "connection " << i);
    const StreamExchange& exchange = *exchanges_[i];
    ExpectNothingLost(exchange, tls);
    const PlayerReport& client = exchange.client.report;
    const PlayerReport& server = exchange.server.report;
    arrived += client.received + server.received;
    aborted += exchange.aborted();
    pauses += client.pauses + server.pauses;
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
