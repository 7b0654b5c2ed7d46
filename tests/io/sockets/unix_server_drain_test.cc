// A server that waits for its clients, so long and no longer (row A26).
#include <cstddef>
#include <string>
#include <utility>

#include "absl/time/time.h"
#include "caf/send.hpp"
#include "gtest/gtest.h"
#include "io/bytes.h"
#include "io/owned_fd.h"
#include "io/sockets/stream_transport.h"
#include "io/sockets/unix_server.h"
#include "tests/io/sockets/unix_server_fixture.h"
#include "tests/support/descriptors.h"
#include "tests/support/echo_protocol.h"

namespace troupe {
namespace {

// Row A26: a client that does not read holds its connection up.
class UnixServerDrainTest : public UnixServerFixture {
 protected:
  // Each client is sent as many bytes.
  static constexpr size_t kSent = 1 << 22;
  UnixServer ServingMuch() {
    UnixServerOptions options = Echoes();
    options.new_protocol = [this](const StreamTransport& stream) {
      caf::anon_send(stream, Write{Bytes(std::string(kSent, 'x')), {}});
      return SpawnEcho(host(), stream);
    };
    return Serving(std::move(options));
  }
};

TEST_F(UnixServerDrainTest, WaitsForClientsThatRead) {
  UnixServer server = ServingMuch();
  OwnedFd one = Client(), other = Client();
  ReadFully(other, 1);
  auto drained = LaterOf<ServerClosed>(server, DrainServer{absl::Hours(1)});
  EXPECT_EQ(ReadFully(one, 2 * kSent).size(), kSent);
  EXPECT_EQ(ReadFully(other, 2 * kSent).size(), kSent - 1);
  EXPECT_EQ(drained.get().aborted, 0u);
}

TEST_F(UnixServerDrainTest, AbortsWhoDoesNotReadAtItsDeadline) {
  UnixServer server = ServingMuch();
  OwnedFd bad = Client();
  ReadFully(bad, 1);
  auto drained =
      LaterOf<ServerClosed>(server, DrainServer{absl::Milliseconds(50)});
  EXPECT_EQ(drained.get().aborted, 1u);
}

TEST_F(UnixServerDrainTest, IsDrainedAtOnceWithoutClients) {
  UnixServer server = Serving(Echoes());
  EXPECT_EQ(
      LaterOf<ServerClosed>(server, DrainServer{absl::Hours(1)}).get().aborted,
      0u);
}

}  // namespace
}  // namespace troupe
