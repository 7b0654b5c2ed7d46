// One connection: reading, writing and both ends (rows U25 to U31, U35).
#include "io/sockets/stream_transport.h"

#include <fcntl.h>
#include <sys/socket.h>

#include <atomic>
#include <cerrno>
#include <future>
#include <memory>
#include <stdexcept>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "caf/exit_reason.hpp"
#include "caf/send.hpp"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "io/os_error.h"
#include "io/owned_fd.h"
#include "tests/support/descriptors.h"
#include "tests/support/stream_fixture.h"

namespace troupe {
namespace {

using ::testing::AllOf;
using ::testing::AnyOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

// Which of the two it is depends on what the peer left unread.
auto ByPeersEnd() {
  return AnyOf(HasSubstr(ErrnoText(EPIPE)), HasSubstr(ErrnoText(ECONNRESET)));
}

enum class Home { kWorker, kResident };

class StreamTransportTest : public StreamTest,
                            public ::testing::WithParamInterface<Home> {
 protected:
  StreamTransportTest() { std::tie(ours_, theirs_) = MakeSocketPair(); }

  StreamProtocol Protocol(ProtocolScript script = {}) {
    return GetParam() == Home::kWorker ? NewStreamProtocol(std::move(script))
                                       : NewResidentStreamProtocol(script);
  }
  // Connected to theirs_.
  void Open(ProtocolScript script = {}, AfterEof after_eof = AfterEof::kClose) {
    stream_ = SpawnStreamTransport(host(), io());
    ASSERT_EQ(Connect(stream_, std::move(ours_), Protocol(std::move(script)),
                      after_eof),
              "");
  }
  template <class Message>
  void Send(Message message) {
    caf::anon_send(stream_, std::move(message));
  }
  void Say(const std::string& text) { Send(Write{Bytes(text), {}}); }
  // Behind more than the socket takes; all of them have been heard.
  std::vector<std::future<std::string>> FiveWhoWait() {
    Say(std::string(1 << 20, 'x'));
    const size_t before = Info(stream_).writing.buffered;
    EXPECT_GT(before, 0u);
    std::vector<std::future<std::string>> waiting;
    for (int i = 0; i < 5; ++i) {
      waiting.push_back(Later(stream_, Write{Bytes::Copy("y"), {}}));
    }
    while (Info(stream_).writing.buffered < before + 5) {
    }
    return waiting;
  }
  void ShutDownTheirs() { shutdown(theirs_.get(), SHUT_WR); }

  OwnedFd ours_, theirs_;
  StreamTransport stream_;
};

INSTANTIATE_TEST_SUITE_P(Homes, StreamTransportTest,
                         ::testing::Values(Home::kWorker, Home::kResident),
                         [](const auto& info) {
                           return info.param == Home::kWorker ? "Worker"
                                                              : "Resident";
                         });

// Rows U25, U26.
TEST_P(StreamTransportTest, TellsMadeThenDataThenEofThenLost) {
  Open();
  WriteFully(theirs_, "0123456789");
  ASSERT_TRUE(trace_->WaitFor("DR(10)"));
  theirs_.Close();
  ASSERT_TRUE(trace_->WaitFor("CL(None)"));
  EXPECT_THAT(trace_->events(), ElementsAre("CM", "DR(10)", "EOF", "CL(None)"));
}

TEST_P(StreamTransportTest, WritesInOrderWhileItReads) {
  Open();
  Say("one ");
  Send(WriteLines{{Bytes("two "), Bytes("three ")}});
  Say("four");
  EXPECT_EQ(ReadFully(theirs_, 18), "one two three four");
  WriteFully(theirs_, "five");
  ASSERT_TRUE(trace_->WaitFor("DR(4)"));
}

TEST_P(StreamTransportTest, WritesWhatWasWrittenBeforeItWasConnected) {
  stream_ = SpawnStreamTransport(host(), io());
  Say("early");
  ASSERT_EQ(Connect(stream_, std::move(ours_), Protocol()), "");
  EXPECT_EQ(ReadFully(theirs_, 5), "early");
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

// Row U27.
TEST_P(StreamTransportTest, RefusesWritesAfterWriteEofAndCountsThem) {
  Open();
  Send(WriteEof{});
  EXPECT_EQ(Ask(stream_, Write{Bytes("x"), {}}),
            "Cannot call write() after write_eof()");
  Send(CloseTransport{});
  ASSERT_TRUE(trace_->WaitFor("CL(None) refused 1"));
}

// Row U28: what is buffered goes out first, and is not read any more.
TEST_P(StreamTransportTest, FlushesBeforeItCloses) {
  Open();
  const std::string much(1 << 20, 'x');
  Say(much);
  Send(CloseTransport{});
  Send(CloseTransport{});
  EXPECT_TRUE(Info(stream_).closing);
  WriteFully(theirs_, "unheard");
  EXPECT_EQ(ReadFully(theirs_, much.size()), much);
  ASSERT_TRUE(trace_->WaitFor("CL(None)"));
  EXPECT_THAT(received_, "");
}

// Row U28.
TEST_P(StreamTransportTest, DropsItsBufferWhenItIsAborted) {
  Open();
  const size_t filled = 1 << 22;
  Say(std::string(filled, 'x'));
  const size_t left = Info(stream_).writing.buffered;
  ASSERT_GT(left, 0u);
  Send(AbortTransport{});
  Send(AbortTransport{});
  ASSERT_TRUE(trace_->WaitFor(absl::StrCat("CL(None) lost ", left)));
}

// Rows U27, V38: the water marks.
TEST_P(StreamTransportTest, PausesItsWriterAndAnswersWhenItDrains) {
  Open();
  auto drained = Later(stream_, Write{Bytes(std::string(1 << 20, 'x')), {}});
  ASSERT_TRUE(trace_->WaitFor("PAUSE"));
  EXPECT_TRUE(Info(stream_).writing.paused);
  ReadFully(theirs_, 1 << 20);
  EXPECT_EQ(drained.get(), "");
  ASSERT_TRUE(trace_->WaitFor("RESUME"));
  EXPECT_THAT(trace_->events(), ElementsAre("CM", "PAUSE", "RESUME"));
}

// Rows A30, V40: each of several who wait gets an answer of its own.
TEST_P(StreamTransportTest, AnswersEverybodyWhoWaitsWhenItDrains) {
  Open();
  std::vector<std::future<std::string>> waiting = FiveWhoWait();
  EXPECT_EQ(ReadFully(theirs_, (1 << 20) + 5).size(), (1u << 20) + 5);
  for (auto& text : waiting) EXPECT_EQ(text.get(), "");
}

// Row A30: and the reason, when there will be no room any more.
TEST_P(StreamTransportTest, TellsEverybodyWhoWaitsThatItIsLost) {
  Open();
  std::vector<std::future<std::string>> waiting = FiveWhoWait();
  Send(AbortTransport{});
  for (auto& text : waiting) EXPECT_EQ(text.get(), "the transport was closed");
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

// A peer that has said all it wants and is gone, while we still had much to
// say: asyncio drops its last answer.
TEST_P(StreamTransportTest, ReadsTheLastAnswerAlthoughItsWritesFail) {
  Open();
  Say(std::string(1 << 22, 'x'));
  ASSERT_TRUE(trace_->WaitFor("PAUSE"));
  WriteFully(theirs_, "enough");
  theirs_.Close();
  ASSERT_TRUE(trace_->WaitForPrefix("CL("));
  EXPECT_EQ(received_, "enough");
  EXPECT_THAT(trace_->events().back(), AllOf(ByPeersEnd(), HasSubstr("lost ")));
}

// It would wait for a resume that never comes: that of its own writing.
TEST_P(StreamTransportTest, EndsAtAFailedWriteWhileItIsPaused) {
  ProtocolScript script;
  script.made = [&] { Send(PauseReading{}); };
  Open(script);
  theirs_.Close();
  Say("x");
  ASSERT_TRUE(trace_->WaitForPrefix("CL("));
  EXPECT_THAT(trace_->events(), ElementsAre("CM", HasSubstr(ErrnoText(EPIPE))));
}

TEST_P(StreamTransportTest, FailsWaitingWritesWithTheError) {
  Open();
  auto waiting = Later(stream_, Write{Bytes(std::string(1 << 22, 'x')), {}});
  ASSERT_TRUE(trace_->WaitFor("PAUSE"));
  theirs_.Close();
  EXPECT_THAT(waiting.get(), ByPeersEnd());
  ASSERT_TRUE(trace_->WaitForPrefix("CL("));
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

class MessageSocketTest : public StreamTransportTest {};

INSTANTIATE_TEST_SUITE_P(Homes, MessageSocketTest,
                         ::testing::Values(Home::kWorker, Home::kResident),
                         [](const auto& info) {
                           return info.param == Home::kWorker ? "Worker"
                                                              : "Resident";
                         });

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
