// What a stream transport does with what it is told to write, to its end (rows
// U27, U28, V38, V40, A30).
#include <cerrno>
#include <cstddef>
#include <future>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "io/bytes.h"
#include "io/io_messages.h"
#include "io/os_error.h"
#include "io/sockets/stream_transport.h"
#include "tests/io/sockets/stream_transport_fixture.h"
#include "tests/support/descriptors.h"
#include "tests/support/home.h"
#include "tests/support/protocol_notes.h"

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

class StreamWritingTest : public StreamTransportFixture {
 protected:
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
};

INSTANTIATE_TEST_SUITE_P(Homes, StreamWritingTest, EveryHome(), NameOfHome);

TEST_P(StreamWritingTest, WritesInOrderWhileItReads) {
  Open();
  Say("one ");
  Send(WriteLines{{Bytes("two "), Bytes("three ")}});
  Say("four");
  EXPECT_EQ(ReadFully(theirs_, 18), "one two three four");
  WriteFully(theirs_, "five");
  ASSERT_TRUE(trace_->WaitFor("DR(4)"));
}

TEST_P(StreamWritingTest, WritesWhatWasWrittenBeforeItWasConnected) {
  stream_ = SpawnStreamTransport(host(), io());
  Say("early");
  ASSERT_EQ(Connect(stream_, std::move(ours_), Protocol()), "");
  EXPECT_EQ(ReadFully(theirs_, 5), "early");
}

// Row U27.
TEST_P(StreamWritingTest, RefusesWritesAfterWriteEofAndCountsThem) {
  Open();
  Send(WriteEof{});
  EXPECT_EQ(Ask(stream_, Write{Bytes("x"), {}}),
            "Cannot call write() after write_eof()");
  Send(CloseTransport{});
  ASSERT_TRUE(trace_->WaitFor("CL(None) refused 1"));
}

// Row U28: what is buffered goes out first, and is not read any more.
TEST_P(StreamWritingTest, FlushesBeforeItCloses) {
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
TEST_P(StreamWritingTest, DropsItsBufferWhenItIsAborted) {
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
TEST_P(StreamWritingTest, PausesItsWriterAndAnswersWhenItDrains) {
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
TEST_P(StreamWritingTest, AnswersEverybodyWhoWaitsWhenItDrains) {
  Open();
  std::vector<std::future<std::string>> waiting = FiveWhoWait();
  EXPECT_EQ(ReadFully(theirs_, (1 << 20) + 5).size(), (1u << 20) + 5);
  for (auto& text : waiting) EXPECT_EQ(text.get(), "");
}

// Row A30: and the reason, when there will be no room any more.
TEST_P(StreamWritingTest, TellsEverybodyWhoWaitsThatItIsLost) {
  Open();
  std::vector<std::future<std::string>> waiting = FiveWhoWait();
  Send(AbortTransport{});
  for (auto& text : waiting) EXPECT_EQ(text.get(), "the transport was closed");
}

// A peer that has said all it wants and is gone, while we still had much to
// say: asyncio drops its last answer.
TEST_P(StreamWritingTest, ReadsTheLastAnswerAlthoughItsWritesFail) {
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
TEST_P(StreamWritingTest, EndsAtAFailedWriteWhileItIsPaused) {
  ProtocolScript script;
  script.made = [&] { Send(PauseReading{}); };
  Open(script);
  theirs_.Close();
  Say("x");
  ASSERT_TRUE(trace_->WaitForPrefix("CL("));
  EXPECT_THAT(trace_->events(), ElementsAre("CM", HasSubstr(ErrnoText(EPIPE))));
}

TEST_P(StreamWritingTest, FailsWaitingWritesWithTheError) {
  Open();
  auto waiting = Later(stream_, Write{Bytes(std::string(1 << 22, 'x')), {}});
  ASSERT_TRUE(trace_->WaitFor("PAUSE"));
  theirs_.Close();
  EXPECT_THAT(waiting.get(), ByPeersEnd());
  ASSERT_TRUE(trace_->WaitForPrefix("CL("));
}

}  // namespace
}  // namespace troupe
