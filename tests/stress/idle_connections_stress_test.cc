// Ten thousand idle connections: what each costs in memory, and that one which
// is active among them costs what it costs alone. Counted, not timed.
#include <malloc.h>
#include <sys/resource.h>

#include <cstdint>
#include <iostream>
#include <memory>
#include <mutex>
#include <utility>

#include "absl/base/config.h"
#include "caf/send.hpp"
#include "caf/typed_event_based_actor.hpp"
#include "gtest/gtest.h"
#include "io/resident.h"
#include "io/sockets/stream_transport.h"
#include "io/sockets/unix_listener.h"
#include "io/sockets/unix_server.h"
#include "process/descriptor_limit.h"
#include "tests/benchmarks/allocations.h"
#include "tests/stress/call_counts.h"
#include "tests/stress/forked_clients.h"
#include "tests/stress/process_memory.h"
#include "tests/support/echo_protocol.h"
#include "tests/support/stream_fixture.h"
#include "tests/support/unix_sockets.h"

namespace troupe {
namespace {

constexpr int kConnections = 10'000;
constexpr int kEchoes = 1'000;
constexpr size_t kMostEach = 4096;

bool DescriptorsAllow(int count) {
  rlimit limit;
  return getrlimit(RLIMIT_NOFILE, &limit) == 0 &&
         limit.rlim_cur >= static_cast<rlim_t>(count);
}

struct Cost {
  int64_t messages = 0;
  int64_t allocations = 0;
  CallCounts calls;

  friend Cost operator-(const Cost& a, const Cost& b) {
    return {a.messages - b.messages, a.allocations - b.allocations,
            a.calls - b.calls};
  }
  friend bool operator==(const Cost&, const Cost&) = default;
  friend std::ostream& operator<<(std::ostream& out, const Cost& cost) {
    return out << cost.messages << " messages, " << cost.allocations
               << " allocations, " << cost.calls;
  }
};

class IdleConnectionsTest : public StreamTest {
 protected:
  IdleConnectionsTest() { EXPECT_TRUE(RaiseDescriptorLimit().ok()); }
  ~IdleConnectionsTest() override {
    io_->Stop();
    EXPECT_TRUE(RestoreDescriptorLimit().ok());
  }

  void Serve() {
    auto listener = UnixListener::Adopt(ListenAt(address_, 128));
    ASSERT_TRUE(listener.ok()) << listener.status();
    auto script = std::make_shared<EchoScript>();
    script->data = [this] {
      const std::lock_guard<std::mutex> lock(mutex_);
      spent_ = {spent_.messages + 1, AllocationsHere(), CountedCallsHere()};
    };
    server_ = SpawnUnixServer(
        host(), io(), *std::move(listener),
        {.new_protocol = [this, script](const StreamTransport& stream) {
          return SpawnEcho(host(), stream, script);
        }});
    ASSERT_EQ(Answer<Serving>(server_, StartServing{}), "");
  }
  // The clients are gone already.
  void Stop() {
    caf::anon_send(server_, StopServing{});
    EXPECT_EQ(Answer<ServerClosed>(server_, WaitClosed{}), "");
  }

  // By the loop's thread until it had its last message.
  Cost Spent() {
    const std::lock_guard<std::mutex> lock(mutex_);
    return spent_;
  }

  const SocketAddress address_ = FreshAddress();
  UnixServer server_;
  std::mutex mutex_;
  Cost spent_;
};

TEST_F(IdleConnectionsTest, EachCostsAtMostFourKibibytes) {
#ifdef ABSL_HAVE_ADDRESS_SANITIZER
  GTEST_SKIP() << "its memory is another's";
#endif
  if (!DescriptorsAllow(kConnections + 100)) {
    GTEST_SKIP() << "the limit on descriptors is too low";
  }
  Serve();
  {
    ForkedClients clients(address_);
    clients.Connect(100);  // pools and tables are there
    WaitForIteration(*io_);
    malloc_trim(0);
    const size_t allocated = AllocatedBytes(), resident = ResidentBytes();
    clients.Connect(kConnections - 100);
    WaitForIteration(*io_);
    const size_t each = (AllocatedBytes() - allocated) / (kConnections - 100);
    const size_t pages = (ResidentBytes() - resident) / (kConnections - 100);
    std::cout << each << " bytes allocated and " << pages
              << " resident for each" << std::endl;
    EXPECT_LE(each, kMostEach);
    EXPECT_LE(pages, kMostEach);
  }
  Stop();
}

TEST_F(IdleConnectionsTest, AnActiveOneAmongThemCostsWhatItCostsAlone) {
  if (!DescriptorsAllow(kConnections + 100)) {
    GTEST_SKIP() << "the limit on descriptors is too low";
  }
  Serve();
  {
    ForkedClients clients(address_);
    clients.Connect(1);
    auto cost_of = [&](int client) {
      clients.Echo(client, 10);  // it is awake
      const Cost before = Spent();
      clients.Echo(client, kEchoes);
      return Spent() - before;
    };
    const Cost alone = cost_of(0);
    EXPECT_EQ(alone.messages, kEchoes);
    clients.Connect(kConnections - 1);
    const Cost first = cost_of(0), last = cost_of(kConnections - 1);
    std::cout << "alone: " << alone << std::endl
              << "first of many: " << first << std::endl
              << "last of many: " << last << std::endl;
    EXPECT_EQ(first, alone);
    EXPECT_EQ(last, alone);
  }
  Stop();
}

}  // namespace
}  // namespace troupe
