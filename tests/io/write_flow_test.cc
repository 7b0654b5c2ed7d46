// How a write transport buffers, pauses and resumes: rows W6, W7 and W17 to
// W23.
#include <fcntl.h>
#include <unistd.h>

#include <chrono>
#include <future>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "caf/send.hpp"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "io/write_transport.h"
#include "tests/support/descriptors.h"
#include "tests/support/io_fixture.h"

namespace troupe {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class WriteFlowTest : public IoTest {
 protected:
  WriteFlowTest() {
    std::tie(in_, out_) = MakePipe();
    EXPECT_EQ(fcntl(out_.get(), F_SETPIPE_SZ, 65536), 65536);
  }
  // A transport whose pipe takes nothing, so that all is buffered.
  WriteTransport Stuck(ProtocolScript script = {}) {
    filled_ = Fill(out_);
    return Writing(std::move(script));
  }
  WriteTransport Writing(ProtocolScript script = {}) {
    WriteTransport transport = SpawnWriteTransport(host(), io());
    EXPECT_EQ(Connect(transport, std::move(out_), NewWriteProtocol(script)),
              "");
    return transport;
  }
  static void Send(const WriteTransport& transport, size_t size) {
    caf::anon_send(transport, Write{Bytes(std::string(size, 'x')), {}});
  }
  std::string SetLimits(const WriteTransport& transport,
                        std::optional<size_t> high, std::optional<size_t> low) {
    return Ask(transport, SetWriteBufferLimits{high, low});
  }
  OwnedFd in_, out_;
  size_t filled_ = 0;
};

// Golden trace "write pipe": a 64 KiB kernel pipe and 32 KiB writes pause when
// 98304 bytes are buffered; rows W7, W18. Row W19: resumed on the way down.
TEST_F(WriteFlowTest, PausesAboveTheHighMarkAndResumesAtTheLowOne) {
  WriteTransport transport = Writing();
  size_t sizes[5];
  for (size_t& size : sizes) {
    Send(transport, 32768);
    size = Info(transport).writing.buffered;
  }
  EXPECT_THAT(sizes, ElementsAre(0, 0, 32768, 65536, 98304));
  EXPECT_TRUE(Info(transport).writing.paused);
  ReadFully(in_, 65536);
  while (Info(transport).writing.buffered > 32768) {
  }
  ASSERT_TRUE(trace_->WaitFor("PAUSE"));
  EXPECT_THAT(trace_->events(), ElementsAre("CM", "PAUSE"));
  ReadFully(in_, 32768);
  ASSERT_TRUE(trace_->WaitFor("RESUME"));
  caf::anon_send(transport, WriteEof{});
  EXPECT_EQ(ReadFully(in_, 1 << 20).size(), 65536u);
  ASSERT_TRUE(trace_->WaitFor("CL(None)"));
}

// Row W6.
TEST_F(WriteFlowTest, TakesAnEmptyWriteForNothing) {
  WriteTransport transport = Stuck();
  EXPECT_EQ(Ask(transport, Write{}), "");
  EXPECT_EQ(Info(transport).writing.buffered, 0u);
}

// Row W7.
TEST_F(WriteFlowTest, KeepsTheOrderOfDirectAndBufferedWrites) {
  WriteTransport transport = Writing();
  std::string all;
  for (int i = 0; i < 400; ++i) {
    std::string piece(1 + i * 7 % 1000, static_cast<char>('a' + i % 26));
    all += piece;
    caf::anon_send(transport, Write{Bytes(piece), {}});
  }
  caf::anon_send(transport, WriteEof{});
  EXPECT_TRUE(ReadFully(in_, 1 << 20) == all);
}

// Row W17.
TEST_F(WriteFlowTest, SetsItsLimitsAndRefusesWrongOnesWithAsynciosText) {
  WriteTransport transport = Writing();
  EXPECT_EQ(Info(transport).writing.high, 65536u);
  EXPECT_EQ(Info(transport).writing.low, 16384u);
  EXPECT_EQ(SetLimits(transport, 100, {}), "");
  EXPECT_EQ(Info(transport).writing.low, 25u);
  EXPECT_EQ(SetLimits(transport, 0, 1),
            "high (0) must be >= low (1) must be >= 0");
  EXPECT_EQ(Info(transport).writing.high, 100u);
}

// Row W18.
TEST_F(WriteFlowTest, PausesOnceAndOnlyAboveTheMark) {
  WriteTransport transport = Stuck();
  Send(transport, 65536);
  EXPECT_FALSE(Info(transport).writing.paused);
  Send(transport, 1);
  Send(transport, 1000);
  EXPECT_TRUE(Info(transport).writing.paused);
  ASSERT_TRUE(trace_->WaitFor("PAUSE"));
  EXPECT_EQ(trace_->Count("PAUSE"), 1u);
}

// Rows W18 and W20.
TEST_F(WriteFlowTest, PausesAtALoweredMarkAndDoesNotResumeAtARaisedOne) {
  WriteTransport transport = Stuck();
  Send(transport, 1000);
  EXPECT_FALSE(Info(transport).writing.paused);
  EXPECT_EQ(SetLimits(transport, 999, {}), "");
  EXPECT_TRUE(Info(transport).writing.paused);
  EXPECT_EQ(SetLimits(transport, 1 << 20, {}), "");
  EXPECT_TRUE(Info(transport).writing.paused);
  ReadFully(in_, filled_);
  ASSERT_TRUE(trace_->WaitFor("RESUME"));
}

// Row W21: here an exception ends the protocol, as it ends any actor; what was
// written still goes out.
TEST_F(WriteFlowTest, FlushesWhatWasWrittenWhenTheProtocolThrows) {
  ProtocolScript script;
  script.resumed = [] { throw std::runtime_error("a bug"); };
  WriteTransport transport = Stuck(script);
  Send(transport, 100000);
  ASSERT_TRUE(trace_->WaitFor("PAUSE"));
  EXPECT_EQ(ReadFully(in_, filled_ + 100001).size(), filled_ + 100000);
  ASSERT_TRUE(trace_->WaitFor("LOST(0)"));
}

// Row W22.
TEST_F(WriteFlowTest, MayBeWrittenToWhenItResumes) {
  WriteTransport transport = SpawnWriteTransport(host(), io());
  ProtocolScript script;
  script.resumed = [&] {
    Send(transport, 5);
    caf::anon_send(transport, CloseTransport{});
  };
  filled_ = Fill(out_);
  ASSERT_EQ(Connect(transport, std::move(out_), NewWriteProtocol(script)), "");
  Send(transport, 70000);
  ASSERT_TRUE(trace_->WaitFor("PAUSE"));
  EXPECT_EQ(ReadFully(in_, filled_ + 70006).size(), filled_ + 70005);
  ASSERT_TRUE(trace_->WaitFor("CL(None)"));
}

// Row W23 and golden trace "write pipe close with buffer".
TEST_F(WriteFlowTest, ResumesBeforeAGracefulEnd) {
  WriteTransport transport = Stuck();
  EXPECT_EQ(SetLimits(transport, 10, 0), "");
  Send(transport, 100);
  caf::anon_send(transport, CloseTransport{});
  ASSERT_TRUE(trace_->WaitFor("PAUSE"));
  ReadFully(in_, filled_);
  ASSERT_TRUE(trace_->WaitFor("CL(None)"));
  EXPECT_THAT(trace_->events(),
              ElementsAre("CM", "PAUSE", "RESUME", "CL(None)"));
}

// Row W23: no RESUME on a loss, the waiters are released by the error.
TEST_F(WriteFlowTest, FailsWaitingWritesWhenItIsLost) {
  WriteTransport transport = Stuck();
  auto text = Later(transport, Write{Bytes(std::string(100000, 'x')), {}});
  ASSERT_TRUE(trace_->WaitFor("PAUSE"));
  in_.Close();
  EXPECT_THAT(text.get(), HasSubstr("Broken pipe"));
  ASSERT_TRUE(trace_->WaitUntil([](const auto& e) { return e.size() == 3; }));
  EXPECT_EQ(trace_->Count("RESUME"), 0u);
}

// Row V40: asyncio's drain once failed for the second who waited.
TEST_F(WriteFlowTest, AnswersEverybodyWhoWaits) {
  WriteTransport transport = Stuck();
  std::vector<std::future<std::string>> waiting;
  for (int i = 0; i < 3; ++i) {
    waiting.push_back(
        Later(transport, Write{Bytes(std::string(40000, 'x')), {}}));
  }
  while (Info(transport).writing.buffered < 120000) {
  }
  ReadFully(in_, filled_ + 120000);
  for (auto& text : waiting) EXPECT_EQ(text.get(), "");
}

// Row V38: many pieces obey flow control and loss as one does.
TEST_F(WriteFlowTest, PausesAndCountsForLinesAsForOneWrite) {
  WriteTransport transport = Stuck();
  WriteLines lines;
  for (int i = 0; i < 100; ++i) {
    lines.lines.push_back(Bytes(std::string(1000, 'x')));
  }
  auto text = Later(transport, lines);
  ASSERT_TRUE(trace_->WaitFor("PAUSE"));
  EXPECT_EQ(Info(transport).writing.buffered, 100000u);
  caf::anon_send(transport, AbortTransport{});
  EXPECT_EQ(text.get(), "the transport was closed");
  ASSERT_TRUE(trace_->WaitFor("CL(None) lost 100000"));
}

TEST_F(WriteFlowTest, FailsWaitingWritesWhenItIsAborted) {
  WriteTransport transport = Stuck();
  auto text = Later(transport, Write{Bytes(std::string(100000, 'x')), {}});
  ASSERT_TRUE(trace_->WaitFor("PAUSE"));
  caf::anon_send(transport, AbortTransport{});
  EXPECT_EQ(text.get(), "the transport was closed");
}

// asyncio's drain.
TEST_F(WriteFlowTest, AnswersAWriteWhenTheBufferIsLowAgain) {
  WriteTransport transport = Stuck();
  EXPECT_EQ(Ask(transport, Write{Bytes(std::string(65536, 'x')), {}}), "");
  auto text = Later(transport, Write{Bytes(std::string(1, 'x')), {}});
  ASSERT_TRUE(trace_->WaitFor("PAUSE"));
  EXPECT_EQ(text.wait_for(std::chrono::seconds(0)),
            std::future_status::timeout);
  ReadFully(in_, filled_ + 65537);
  EXPECT_EQ(text.get(), "");
}

TEST_F(WriteFlowTest, GivesTheCreditBackWithTheBytesThatAreWritten) {
  auto account = std::make_shared<CreditAccount>(100, [] {});
  WriteTransport transport = Stuck();
  Credit credit(account, 10);
  caf::anon_send(transport, Write{Bytes::Copy("x"), std::move(credit)});
  Info(transport);
  EXPECT_EQ(account->in_flight(), 10u);
  EXPECT_EQ(ReadFully(in_, filled_ + 1).size(), filled_ + 1);
  while (account->in_flight() > 0) Info(transport);
}

// What came before the connection is neither lost nor told out of turn: 80 KB
// that a large pipe takes at once never needed a pause.
TEST_F(WriteFlowTest, WritesWhatCameBeforeTheConnection) {
  ASSERT_GE(fcntl(out_.get(), F_SETPIPE_SZ, 1 << 20), 1 << 20);
  WriteTransport transport = SpawnWriteTransport(host(), io());
  auto text = Later(transport, Write{Bytes(std::string(80000, 'x')), {}});
  while (Info(transport).writing.buffered == 0) {
  }
  ASSERT_EQ(Connect(transport, std::move(out_), NewWriteProtocol()), "");
  EXPECT_EQ(text.get(), "");
  EXPECT_EQ(Info(transport).writing.buffered, 0u);
  EXPECT_FALSE(Info(transport).writing.paused);
  EXPECT_THAT(trace_->events(), ElementsAre("CM"));
  EXPECT_EQ(ReadFully(in_, 80000).size(), 80000u);
}

TEST_F(WriteFlowTest, PausesAfterConnectionMadeForWhatCameBefore) {
  filled_ = Fill(out_);
  WriteTransport transport = SpawnWriteTransport(host(), io());
  Send(transport, 80000);
  ASSERT_EQ(Connect(transport, std::move(out_), NewWriteProtocol()), "");
  ASSERT_TRUE(trace_->WaitFor("PAUSE"));
  EXPECT_THAT(trace_->events(), ElementsAre("CM", "PAUSE"));
}

TEST_F(WriteFlowTest, FailsEarlyWritesWhenItCannotConnect) {
  WriteTransport transport = SpawnWriteTransport(host(), io());
  auto text = Later(transport, Write{Bytes::Copy("x"), {}});
  while (Info(transport).writing.buffered == 0) {
  }
  std::string refusal =
      Connect(transport, MakeFile("", O_WRONLY), NewWriteProtocol());
  EXPECT_NE(refusal, "");
  EXPECT_EQ(text.get(), refusal);
}

}  // namespace
}  // namespace troupe
