#include "io/read_transport.h"

#include <unistd.h>

#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/io_fixture.h"

namespace troupe {
namespace {

using ::testing::ElementsAre;

using ReadTransportTest = IoTest;

// Golden trace "read pipe, 10 bytes + EOF"; row R5.
TEST_F(ReadTransportTest, TellsMadeThenDataThenEofThenLost) {
  auto [in, out] = MakePipe();
  ReadTransport transport = SpawnReadTransport(host(), io());
  ASSERT_EQ(Connect(transport, std::move(in), NewReadProtocol()), "");
  ASSERT_EQ(write(out.get(), "0123456789", 10), 10);
  ASSERT_TRUE(trace_->WaitFor("DR(10)"));
  out.Close();
  ASSERT_TRUE(trace_->WaitFor("CL(None)"));
  EXPECT_THAT(trace_->events(), ElementsAre("CM", "DR(10)", "EOF", "CL(None)"));
  EXPECT_EQ(received_, "0123456789");
}

}  // namespace
}  // namespace troupe
