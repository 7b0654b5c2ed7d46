// A client that sends garbage or stops in the handshake harms only itself (row
// U33).
#include <sys/socket.h>

#include <cstddef>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "io/sockets/stream_messages.h"
#include "tests/io/sockets/misbehaving_clients.h"
#include "tests/io/sockets/raw_client.h"
#include "tests/support/descriptors.h"

namespace troupe {
namespace {

using ::testing::Each;
using ::testing::HasSubstr;

class MisbehavingTlsClientsTest : public MisbehavingClients {
 protected:
  MisbehavingTlsClientsTest() : MisbehavingClients(/*tls=*/true) {}
};

TEST_F(MisbehavingTlsClientsTest, GarbageInsteadOfAHandshake) {
  Start();
  for (const char* garbage : {"GET / HTTP/1.1\r\n\r\n", "EHLO example.org\r\n",
                              "\x16\x03\x01\xff"
                              "\xff garbage"}) {
    RawClient client = NewClient();
    WriteFully(client.fd(), garbage);
    shutdown(client.fd().get(), SHUT_WR);
    WaitForHangUp(client.fd());
  }
  ASSERT_TRUE(WaitForTroubles(3));
  EXPECT_THAT(Troubles(), Each(HasSubstr("trouble: TLS handshake: ")));
  Finish();
}

TEST_F(MisbehavingTlsClientsTest, GarbageAfterTheHandshake) {
  Start();
  RawClient client = ServedClient();
  WriteFully(client.fd(), "this is no record at all");
  EXPECT_THAT(LossOf(1), HasSubstr("TLS connection: wrong version number"));
  client.Close();
  Finish();
}

// Row U33: each is given its time and no more.
TEST_F(MisbehavingTlsClientsTest, StopInTheHandshake) {
  constexpr size_t kClients = 20;
  Start(AfterEof::kClose, absl::Milliseconds(200));
  std::vector<RawClient> clients;
  for (size_t i = 0; i < kClients; ++i) {
    clients.push_back(NewClient());
    const std::string hello = clients.back().Hello();
    WriteFully(clients.back().fd(), hello.substr(0, i * hello.size() / 20));
  }
  ASSERT_TRUE(WaitForTroubles(kClients));
  EXPECT_THAT(Troubles(), Each("trouble: TLS handshake took longer than "
                               "200ms"));
  for (const RawClient& client : clients) WaitForHangUp(client.fd());
  Finish();
}

}  // namespace
}  // namespace troupe
