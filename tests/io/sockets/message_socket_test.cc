// A stream transport on a socket that keeps boundaries.
#include <sys/socket.h>
#include <unistd.h>

#include <string>
#include <tuple>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "io/bytes.h"
#include "io/io_messages.h"
#include "io/sockets/stream_transport.h"
#include "tests/io/sockets/stream_transport_fixture.h"
#include "tests/support/descriptors.h"
#include "tests/support/home.h"

namespace troupe {
namespace {

using ::testing::ElementsAre;

class MessageSocketTest : public StreamTransportFixture {};

INSTANTIATE_TEST_SUITE_P(Homes, MessageSocketTest, EveryHome(), NameOfHome);

TEST_P(MessageSocketTest, KeepsTheBoundariesOfSequencedPackets) {
  std::tie(ours_, theirs_) = MakeSocketPair(SOCK_SEQPACKET);
  Open();
  WriteFully(theirs_, "one");
  WriteFully(theirs_, "three");
  WriteFully(theirs_, std::string(5000, 'x'));
  theirs_.Close();
  ASSERT_TRUE(trace_->WaitFor("CL(None)"));
  EXPECT_THAT(trace_->events(), ElementsAre("CM", "DR(3)", "DR(5)", "DR(5000)",
                                            "EOF", "CL(None)"));
}

TEST_P(MessageSocketTest, TakesAMessageOfAnySize) {
  std::tie(ours_, theirs_) = MakeSocketPair(SOCK_SEQPACKET);
  Open();
  const std::string large(150'000, 'x');
  WriteFully(theirs_, "y");
  WriteFully(theirs_, large);
  ASSERT_TRUE(trace_->WaitFor("DR(150000)"));
  EXPECT_EQ(received_, "y" + large);
}

TEST_P(MessageSocketTest, WritesEachWriteAsAMessage) {
  std::tie(ours_, theirs_) = MakeSocketPair(SOCK_DGRAM);
  Open();
  Send(WriteLines{{Bytes("one"), Bytes("three")}});
  char room[100];
  EXPECT_EQ(read(theirs_.get(), room, sizeof room), 3);
  EXPECT_EQ(read(theirs_.get(), room, sizeof room), 5);
}

TEST_P(MessageSocketTest, ReadsDatagramsAlsoEmptyOnes) {
  std::tie(ours_, theirs_) = MakeSocketPair(SOCK_DGRAM);
  Open();
  WriteFully(theirs_, "one");
  ASSERT_EQ(send(theirs_.get(), "", 0, 0), 0);
  WriteFully(theirs_, "three");
  ASSERT_TRUE(trace_->WaitFor("DR(5)"));
  EXPECT_THAT(trace_->events(), ElementsAre("CM", "DR(3)", "DR(0)", "DR(5)"));
}

}  // namespace
}  // namespace troupe
