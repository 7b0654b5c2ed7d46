#include "io/write_transport.h"

#include <fcntl.h>
#include <unistd.h>

#include <string>

#include "caf/scoped_actor.hpp"
#include "caf/send.hpp"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/io_fixture.h"

namespace troupe {
namespace {

using ::testing::ElementsAre;

using WriteTransportTest = IoTest;

// Golden trace "write pipe": a 64 KiB kernel pipe and 32 KiB writes pause when
// 98304 bytes are buffered and resume on the way down; rows W7, W18, W19.
TEST_F(WriteTransportTest, PausesAboveTheHighMarkAndResumesAtTheLowOne) {
  auto [in, out] = MakePipe();
  ASSERT_EQ(fcntl(out.get(), F_SETPIPE_SZ, 65536), 65536);
  WriteTransport transport = SpawnWriteTransport(host(), io());
  ASSERT_EQ(Connect(transport, std::move(out), NewWriteProtocol()), "");
  caf::scoped_actor self(*system_);
  size_t sizes[5];
  for (size_t& size : sizes) {
    self->send(transport, Write{Bytes(std::string(32768, 'x')), {}});
    self->request(transport, caf::infinite, GetTransportInfo{})
        .receive([&](const TransportInfo& info) { size = info.buffered; },
                 [](const caf::error&) { FAIL(); });
  }
  EXPECT_THAT(sizes, ElementsAre(0, 0, 32768, 65536, 98304));
  ASSERT_TRUE(trace_->WaitFor("PAUSE"));
  self->send(transport, WriteEof{});
  std::string all(5 * 32768, 0);
  for (size_t got = 0; got < all.size();) {
    ssize_t n = read(in.get(), all.data() + got, all.size() - got);
    ASSERT_GT(n, 0);
    got += n;
  }
  ASSERT_TRUE(trace_->WaitFor("CL(None)"));
  EXPECT_THAT(trace_->events(),
              ElementsAre("CM", "PAUSE", "RESUME", "CL(None)"));
  EXPECT_EQ(all, std::string(5 * 32768, 'x'));
}

}  // namespace
}  // namespace troupe
