// Files through TLS, which reads and encrypts them (rows SF10, SF11).
#include <cstddef>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "io/sockets/stream_messages.h"
#include "tests/io/sockets/send_file_fixture.h"
#include "tests/support/planned_sendfile.h"

namespace troupe {
namespace {

using ::testing::IsEmpty;

class TlsSendFileTest : public SendFileTest {};

INSTANTIATE_TEST_SUITE_P(Streams, TlsSendFileTest,
                         ::testing::Values(With::kTls));

// Row SF10.
TEST_P(TlsSendFileTest, IsAlwaysAFallback) {
  Open();
  EXPECT_EQ(SendIt({.fallback = false})(),
            "fallback is disabled and native sendfile is not supported for "
            "transport tls-transport");
  EXPECT_EQ(SendIt()(), "10");
  EXPECT_THAT(PlannedSendfile::asked_for(), IsEmpty());
}

// Row SF11: what is behind a file waits for it, and is not lost uncounted.
TEST_P(TlsSendFileTest, CountsWhatIsLostBehindIt) {
  OpenToADeafPeer();
  MakeItHuge();
  Answer sent = SendIt();
  Say("behind");
  WaitUntilStuck();
  const size_t left = Info(stream_).writing.buffered;
  EXPECT_GT(left, 6u);
  Send(AbortTransport{});
  EXPECT_EQ(sent(), "-the transport was closed");
  ASSERT_TRUE(trace_->WaitFor(absl::StrCat("CL(None) lost ", left)));
}

}  // namespace
}  // namespace troupe
