// What a session costs, idle and in the worst case: what OpenSSL has allocated,
// counted by its own hooks.
#include <malloc.h>
#include <openssl/crypto.h>

#include <atomic>
#include <cstdlib>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "gtest/gtest.h"
#include "io/tls/tls_context.h"
#include "io/tls/tls_session.h"
#include "tests/io/tls/tls_pair.h"

namespace troupe {
namespace {

std::atomic<size_t> allocated{0};

void* Allocate(size_t size, const char*, int) {
  void* memory = malloc(size);
  allocated += malloc_usable_size(memory);
  return memory;
}

void Free(void* memory, const char*, int) {
  allocated -= malloc_usable_size(memory);
  free(memory);
}

void* Reallocate(void* memory, size_t size, const char*, int) {
  allocated -= malloc_usable_size(memory);
  memory = realloc(memory, size);
  allocated += malloc_usable_size(memory);
  return memory;
}

// Before anything of OpenSSL is allocated.
const int kCounting = CRYPTO_set_mem_functions(&Allocate, &Reallocate, &Free);

constexpr size_t kIdle = 20 << 10;  // 18 KiB for a client, 14 for a server

class TlsMemoryTest : public EachTlsVersion {
 protected:
  TlsMemoryTest() {
    EXPECT_EQ(kCounting, 1);
    Connect();  // what is made once
  }

  TlsPair ConnectShared() {
    TlsPair pair = {.client = *TlsSession::Client(client_context_, ""),
                    .server = *TlsSession::Server(server_context_)};
    pair.Shake();
    EXPECT_TRUE(pair.server->handshake_done());
    return pair;
  }

  // What goes with the session.
  static size_t CostOf(std::unique_ptr<TlsSession>& session) {
    const size_t before = allocated;
    session.reset();
    return before - allocated;
  }

  // They outlive the sessions.
  TlsContext::Shared client_context_ = *TlsContext::Client(client_);
  TlsContext::Shared server_context_ = *TlsContext::Server(server_);
};

INSTANTIATE_TEST_SUITE_P(, TlsMemoryTest,
                         ::testing::Values(TlsVersion::kTls12,
                                           TlsVersion::kTls13),
                         VersionName);

TEST_P(TlsMemoryTest, IsSmallAfterTheHandshake) {
  TlsPair pair = ConnectShared();
  TextFrom(*pair.client);  // its tickets
  EXPECT_LT(CostOf(pair.client), kIdle);
  EXPECT_LT(CostOf(pair.server), kIdle);
}

TEST_P(TlsMemoryTest, IsSmallAgainAfterATransfer) {
  TlsPair pair = ConnectShared();
  const std::string text(1 << 20, 'x');
  const size_t before = allocated;
  for (int i = 0; i < 2; ++i) {
    ASSERT_EQ(pair.client->Write(text), absl::OkStatus());
    Move(*pair.client, *pair.server);
    EXPECT_TRUE(TextFrom(*pair.server) == text);
    ASSERT_EQ(pair.server->Write(text), absl::OkStatus());
    Move(*pair.server, *pair.client);
    EXPECT_TRUE(TextFrom(*pair.client) == text);
  }
  EXPECT_LT(allocated, before + 4096);
  EXPECT_LT(CostOf(pair.client), kIdle);
  EXPECT_LT(CostOf(pair.server), kIdle);
}

// A busy one is not to pay for its buffers again and again.
TEST_P(TlsMemoryTest, KeepsItsBuffersAsLongAsItIsTold) {
  TlsPair pair = ConnectShared();
  TextFrom(*pair.client);
  const size_t idle = allocated;
  pair.client->KeepBuffers(true);
  pair.server->KeepBuffers(true);
  ASSERT_EQ(pair.client->Write("text"), absl::OkStatus());
  Move(*pair.client, *pair.server);
  EXPECT_EQ(TextFrom(*pair.server), "text");
  EXPECT_GT(allocated, idle + (32 << 10));  // one to write, one to read
  pair.client->KeepBuffers(false);
  pair.server->KeepBuffers(false);
  EXPECT_LT(allocated, idle + 4096);
}

// Tickets come with the answer to what was written before.
TEST_P(TlsMemoryTest, IsSmallWhenTicketsComeWithData) {
  TlsPair pair = ConnectShared();
  ASSERT_EQ(pair.server->Write("data"), absl::OkStatus());
  Move(*pair.server, *pair.client);
  EXPECT_EQ(TextFrom(*pair.client), "data");
  EXPECT_LT(CostOf(pair.client), kIdle);
}

// The caller decides when that is enough.
TEST_P(TlsMemoryTest, IsWhatOutputWaitsWhenThePeerDoesNotRead) {
  TlsPair pair = ConnectShared();
  const size_t limit = 1 << 20;
  const std::string text(100000, 'x');
  while (pair.server->output_size() < limit) {
    ASSERT_EQ(pair.server->Write(text), absl::OkStatus());
  }
  EXPECT_LT(pair.server->output_size(), limit + text.size() + 1000);
  const size_t waiting = pair.server->output_size();
  EXPECT_LT(CostOf(pair.server), waiting + waiting / 50 + kIdle);
}

}  // namespace
}  // namespace troupe
