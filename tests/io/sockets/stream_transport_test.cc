// One connection: reading and both ends (rows U25 to U31, U35).
#include "io/sockets/stream_transport.h"

#include <cerrno>
#include <cstddef>
#include <memory>
#include <stdexcept>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "caf/exit_reason.hpp"
#include "caf/send.hpp"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "io/io_messages.h"
#include "io/os_error.h"
#include "io/owned_fd.h"
#include "io/sockets/stream_messages.h"
#include "tests/io/sockets/stream_transport_fixture.h"
#include "tests/support/descriptors.h"
#include "tests/support/home.h"
#include "tests/support/protocol_notes.h"

namespace troupe {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class StreamTransportTest : public StreamTransportFixture {};

INSTANTIATE_TEST_SUITE_P(Homes, StreamTransportTest, EveryHome(), NameOfHome);

// Rows U25, U26.
TEST_P(StreamTransportTest, TellsMadeThenDataThenEofThenLost) {
  Open();
  WriteFully(theirs_, "0123456789");
  ASSERT_TRUE(trace_->WaitFor("DR(10)"));
  theirs_.Close();
  ASSERT_TRUE(trace_->WaitFor("CL(None)"));
  EXPECT_THAT(trace_->events(), ElementsAre("CM", "DR(10)", "EOF", "CL(None)"));
}

// Row U26: a falsy answer of eof_received.
TEST_P(StreamTransportTest, WritesWhatItsProtocolSaysToTheEndOfThePeer) {
  ProtocolScript script;
  script.eof = [&] { Say("goodbye"); };
  Open(script);
  ShutDownTheirs();
  EXPECT_EQ(ReadFully(theirs_, 100), "goodbye");
  ASSERT_TRUE(trace_->WaitFor("CL(None)"));
  EXPECT_THAT(trace_->events(), ElementsAre("CM", "EOF", "CL(None)"));
}

// Row U26: a truthy answer.
TEST_P(StreamTransportTest, StaysOpenForWritingIfItIsToldTo) {
  Open({}, AfterEof::kHalfOpen);
  ShutDownTheirs();
  ASSERT_TRUE(trace_->WaitFor("EOF"));
  Say("still here");
  EXPECT_EQ(ReadFully(theirs_, 10), "still here");
  Send(WriteEof{});
  EXPECT_EQ(ReadFully(theirs_, 1), "");
  ASSERT_TRUE(trace_->WaitFor("CL(None)"));
}

TEST_P(StreamTransportTest, EndsWhenItIsHalfOpenAndThePeerGoes) {
  Open({}, AfterEof::kHalfOpen);
  ShutDownTheirs();
  ASSERT_TRUE(trace_->WaitFor("EOF"));
  theirs_.Close();
  ASSERT_TRUE(trace_->WaitFor("CL(None)"));
}

// Row U28.
TEST_P(StreamTransportTest, ReadsOnAfterWriteEof) {
  Open();
  Say("question");
  Send(WriteEof{});
  Send(WriteEof{});
  EXPECT_EQ(ReadFully(theirs_, 100), "question");
  WriteFully(theirs_, "answer");
  ASSERT_TRUE(trace_->WaitFor("DR(6)"));
  theirs_.Close();
  ASSERT_TRUE(trace_->WaitFor("CL(None)"));
  EXPECT_THAT(trace_->events(), ElementsAre("CM", "DR(6)", "EOF", "CL(None)"));
}

// Row V54: in asyncio a connection goes with its last writer object. Here only
// CloseTransport, AbortTransport, its protocol's death or the peer end it.
TEST_P(StreamTransportTest, GoesOnWithoutHandles) {
  Open();
  stream_ = StreamTransport();
  for (int i = 1; i <= 3; ++i) {
    WriteFully(theirs_, "x");
    ASSERT_TRUE(trace_->WaitFor("DR(1)", i));
  }
  ShutDownTheirs();
  ASSERT_TRUE(trace_->WaitFor("CL(None)"));
}

// Row U30.
TEST_P(StreamTransportTest, ReadsNothingWhilePaused) {
  ProtocolScript script;
  script.made = [&] { Send(PauseReading{}); };
  Open(script);
  WriteFully(theirs_, "later");
  Send(PauseReading{});
  WaitForIteration(*io_);
  WaitForIteration(*io_);
  EXPECT_TRUE(Info(stream_).reading.paused);
  EXPECT_EQ(Info(stream_).reading.unread, 5u);
  EXPECT_THAT(trace_->events(), ElementsAre("CM"));
  Send(ResumeReading{});
  Send(ResumeReading{});
  ASSERT_TRUE(trace_->WaitFor("DR(5)"));
}

// Row U30: the peer's end waits with what it sent.
TEST_P(StreamTransportTest, TellsTheEndOfThePeerAfterThePause) {
  ProtocolScript script;
  script.made = [&] { Send(PauseReading{}); };
  Open(script);
  WriteFully(theirs_, "last words");
  theirs_.Close();
  WaitForIteration(*io_);
  WaitForIteration(*io_);
  EXPECT_THAT(trace_->events(), ElementsAre("CM"));
  Send(ResumeReading{});
  ASSERT_TRUE(trace_->WaitFor("CL(None)"));
  EXPECT_THAT(trace_->events(), ElementsAre("CM", "DR(10)", "EOF", "CL(None)"));
}

// Row U35.
TEST_P(StreamTransportTest, ReadsAllThatAPeerSentBeforeItClosed) {
  ProtocolScript script;
  script.made = [&] { Send(PauseReading{}); };
  Open(script);
  SetNonBlocking(theirs_);
  const size_t sent = Fill(theirs_);
  theirs_.Close();
  Send(ResumeReading{});
  ASSERT_TRUE(trace_->WaitFor("CL(None)"));
  EXPECT_EQ(received_.size(), sent);
}

// A peer that closes with what we sent unread resets the connection.
TEST_P(StreamTransportTest, EndsWithAReset) {
  Open();
  Say("unread");
  WaitForIteration(*io_);
  theirs_.Close();
  ASSERT_TRUE(trace_->WaitForPrefix("CL("));
  EXPECT_THAT(trace_->events(),
              ElementsAre("CM", HasSubstr(ErrnoText(ECONNRESET))));
}

// Row R12 for sockets.
TEST_P(StreamTransportTest, MayBeClosedInConnectionMade) {
  ProtocolScript script;
  script.made = [&] {
    Say("bye");
    Send(CloseTransport{});
  };
  Open(script);
  EXPECT_EQ(ReadFully(theirs_, 100), "bye");
  ASSERT_TRUE(trace_->WaitFor("CL(None)"));
  EXPECT_THAT(trace_->events(), ElementsAre("CM", "CL(None)"));
}

// Row U29: a protocol that throws ends its connection, and the owner is told.
TEST_P(StreamTransportTest, ClosesWhenTheProtocolThrows) {
  ProtocolScript script;
  script.data = [](DataReceived&) { throw std::runtime_error("boom"); };
  Open(script);
  Say("written");
  WriteFully(theirs_, "x");
  ASSERT_TRUE(trace_->WaitForPrefix("LOST("));
  EXPECT_EQ(ReadFully(theirs_, 100), "written");
}

TEST_P(StreamTransportTest, FailsToConnectWhenConnectionMadeThrows) {
  ProtocolScript script;
  script.made = [] { throw std::runtime_error("boom"); };
  EXPECT_NE(Connect(SpawnStreamTransport(host(), io()), std::move(ours_),
                    Protocol(script)),
            "");
  EXPECT_EQ(ReadFully(theirs_, 1), "");
}

TEST_P(StreamTransportTest, RefusesWhatIsNoSocket) {
  auto [in, out] = MakePipe();
  const int number = in.get();
  EXPECT_EQ(
      Connect(SpawnStreamTransport(host(), io()), std::move(in), Protocol()),
      absl::StrCat("a stream transport is for sockets, got fd ", number));
  EXPECT_EQ(Connect(SpawnStreamTransport(host(), io()), OwnedFd(), Protocol()),
            "Invalid file descriptor: -1");
  EXPECT_THAT(trace_->events(), ElementsAre());
}

TEST_P(StreamTransportTest, IsConnectedOnce) {
  Open();
  auto [more, others] = MakeSocketPair();
  EXPECT_EQ(Connect(stream_, std::move(more), Protocol()),
            "the transport is connected already");
}

TEST_P(StreamTransportTest, TellsTheNewProtocolFromTheNextEventOn) {
  ProtocolScript second;
  second.name = "new ";
  Open();
  EXPECT_EQ(Ask(stream_, SetWriteBufferLimits{100, 10}), "");
  Send(SetStreamProtocol{Protocol(second)});
  WaitForIteration(*io_);
  WriteFully(theirs_, "x");
  ASSERT_TRUE(trace_->WaitFor("new DR(1)"));
  theirs_.Close();
  ASSERT_TRUE(trace_->WaitFor("new CL(None)"));
}

TEST_P(StreamTransportTest, TellsTheErrorWhenItIsKilled) {
  Open();
  caf::anon_send_exit(stream_, caf::exit_reason::kill);
  ASSERT_TRUE(trace_->WaitForPrefix("CL("));
  EXPECT_EQ(ReadFully(theirs_, 1), "");
}

// The window is in flight at most, whoever keeps the credit.
TEST_P(StreamTransportTest, StopsReadingWhenNobodyLetsGo) {
  auto held = std::make_shared<std::vector<DataReceived>>();
  ProtocolScript script;
  script.forget = true;
  script.data = [held](DataReceived& data) { held->push_back(data); };
  Open(script);
  SetNonBlocking(theirs_);
  size_t written = 0;
  for (int idle = 0; idle < 3; ++idle) {
    written += Fill(theirs_);
    WaitForIteration(*io_);
    if (Info(stream_).reading.in_flight < 256 * 1024) idle = 0;
  }
  EXPECT_LT(written, 1u << 20);
  EXPECT_LE(Info(stream_).reading.in_flight, (256 + 65) * 1024u);
  Send(AbortTransport{});
  ASSERT_TRUE(trace_->WaitFor("CL(None)"));
  held->clear();
}

}  // namespace
}  // namespace troupe
