#include "io/write_transport.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "caf/scoped_actor.hpp"
#include "caf/send.hpp"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/descriptors.h"
#include "tests/support/home.h"
#include "tests/support/io_fixture.h"

namespace troupe {
namespace {

using ::testing::ElementsAre;

// Every promise holds for a protocol on a worker and for one on the I/O thread.
class WriteTransportTest : public IoTest,
                           public ::testing::WithParamInterface<Home> {
 protected:
  WriteProtocol Protocol(ProtocolScript script = {}) {
    return GetParam() == Home::kWorker ? NewWriteProtocol(std::move(script))
                                       : NewResidentWriteProtocol(script);
  }
  WriteTransport Writing(OwnedFd fd, ProtocolScript script = {}) {
    WriteTransport transport = SpawnWriteTransport(host(), io());
    number_ = fd.get();
    EXPECT_EQ(Connect(transport, std::move(fd), Protocol(script)), "");
    return transport;
  }
  static void Send(const WriteTransport& transport, std::string text) {
    caf::anon_send(transport, Write{Bytes(std::move(text)), {}});
  }
  std::string Lost(const std::string& why) const {
    return absl::StrCat("CL(write \"fd ", number_, "\": ", why, ")");
  }
  int number_ = -1;
};

INSTANTIATE_TEST_SUITE_P(Homes, WriteTransportTest, EveryHome(), NameOfHome);

// Row W1.
TEST_P(WriteTransportTest, RefusesWhatIsNoPipeWithAsynciosText) {
  EXPECT_EQ(Connect(SpawnWriteTransport(host(), io()), MakeFile("", O_WRONLY),
                    Protocol()),
            "Pipe transport is only for pipes, sockets and character devices");
  EXPECT_THAT(trace_->events(), ElementsAre());
}

// Rows W2 and W3, golden trace "write pipe reader closed", buffer empty.
TEST_P(WriteTransportTest, EndsWellWhenTheReaderGoesAndNothingIsBuffered) {
  auto [in, out] = MakePipe();
  auto [ours, theirs] = MakeSocketPair();
  Writing(std::move(out));
  in.Close();
  ASSERT_TRUE(trace_->WaitFor("CL(None)"));
  Writing(std::move(ours));
  theirs.Close();
  ASSERT_TRUE(trace_->WaitFor("CL(None)", 2));
  EXPECT_THAT(trace_->events(),
              ElementsAre("CM", "CL(None)", "CM", "CL(None)"));
}

// Row W2: a terminal's end is noticed at the next write.
TEST_P(WriteTransportTest, NoticesTheEndOfATerminalAtTheNextWrite) {
  auto [slave, master] = MakeTerminal();
  WriteTransport transport = Writing(std::move(slave));
  master.Close();
  WaitForIteration(*io_);
  EXPECT_THAT(trace_->events(), ElementsAre("CM"));
  Send(transport, "x");
  std::string lost = Lost("Input/output error") + " lost 1";
  ASSERT_TRUE(trace_->WaitFor(lost));
}

// Row W3, golden trace "write pipe reader closed", buffered; W10, and W28:
// SIGPIPE has its default disposition in this test.
TEST_P(WriteTransportTest, EndsWithBrokenPipeWhenTheReaderLeavesABuffer) {
  auto [in, out] = MakePipe();
  Fill(out);
  WriteTransport transport = Writing(std::move(out));
  Send(transport, "12345");
  EXPECT_EQ(Info(transport).writing.buffered, 5u);
  in.Close();
  ASSERT_TRUE(trace_->WaitFor(Lost("Broken pipe") + " lost 5"));
}

// Rows W4, V39: input is no sign of an end.
TEST_P(WriteTransportTest, IsNotClosedByInputFromThePeer) {
  auto [ours, theirs] = MakeSocketPair();
  WriteTransport transport = Writing(std::move(ours));
  WriteFully(theirs, "data that nobody reads");
  WaitForIteration(*io_);
  Send(transport, "still there");
  EXPECT_EQ(ReadFully(theirs, 11), "still there");
  EXPECT_THAT(trace_->events(), ElementsAre("CM"));
}

// Row W4: a FIFO that is open for both is readable as soon as it is written.
TEST_P(WriteTransportTest, IsNotClosedByItsOwnBytesInAFifo) {
  std::string path = absl::StrCat("/tmp/troupe.fifo.", getpid());
  ASSERT_EQ(mkfifo(path.c_str(), 0600), 0);
  OwnedFd both(open(path.c_str(), O_RDWR | O_CLOEXEC));
  unlink(path.c_str());
  OwnedFd reader(dup(both.get()));
  WriteTransport transport = Writing(std::move(both));
  Send(transport, "one");
  WaitForIteration(*io_);
  Send(transport, "two");
  EXPECT_EQ(Info(transport).closing, false);
  EXPECT_EQ(ReadFully(reader, 6), "onetwo");
}

// Row W9, golden trace "write pipe reader closed", direct write: the reader
// leaves before the first write can be watched for it.
TEST_P(WriteTransportTest, EndsWithBrokenPipeWhenTheFirstWriteFails) {
  auto [in, out] = MakePipe();
  WriteTransport transport = SpawnWriteTransport(host(), io());
  number_ = out.get();
  ProtocolScript script;
  script.made = [&, &in = in] {
    Send(transport, "abc");
    in.Close();
  };
  EXPECT_EQ(Connect(transport, std::move(out), Protocol(script)), "");
  std::string lost = Lost("Broken pipe") + " lost 3";
  ASSERT_TRUE(trace_->WaitFor(lost));
  EXPECT_THAT(trace_->events(), ElementsAre("CM", lost));
}

// Row W11: refused, counted, told with the loss.
TEST_P(WriteTransportTest, RefusesAndCountsWritesAfterItsEnd) {
  auto [in, out] = MakePipe();
  size_t filled = Fill(out);
  WriteTransport transport = Writing(std::move(out));
  Send(transport, "last");
  caf::anon_send(transport, WriteEof{});
  for (int i = 0; i < 6; ++i) Send(transport, "too late");
  EXPECT_EQ(Info(transport).writing.buffered, 4u);
  EXPECT_EQ(Ask(transport, Write{Bytes::Copy("x"), {}}),
            "pipe closed by peer or os.write(pipe, data) raised exception.");
  EXPECT_EQ(ReadFully(in, filled + 4).substr(filled), "last");
  ASSERT_TRUE(trace_->WaitFor("CL(None) refused 7"));
}

// A plain message has no answer, not even a refusal: an actor that gets an
// error ends.
TEST_P(WriteTransportTest, AnswersNoPlainMessage) {
  auto [in, out] = MakePipe();
  Fill(out);
  WriteTransport transport = Writing(std::move(out));
  caf::scoped_actor sender(*system_);
  sender->send(transport, Write{Bytes::Copy("taken"), {}});
  sender->send(transport, SetWriteBufferLimits{1, 2});
  sender->send(transport, WriteEof{});
  sender->send(transport, Write{Bytes::Copy("refused"), {}});
  sender->request(transport, caf::infinite, GetTransportInfo{})
      .receive([](const TransportInfo& info) { EXPECT_TRUE(info.closing); },
               [](const caf::error&) { ADD_FAILURE(); });
  EXPECT_FALSE(sender->has_next_message());
}

// Row W12.
TEST_P(WriteTransportTest, WritesLinesInOrder) {
  auto [in, out] = MakePipe();
  WriteTransport transport = Writing(std::move(out));
  WriteLines lines;
  for (const char* line : {"a", "", "bc", "d"}) {
    lines.lines.push_back(Bytes::Copy(line));
  }
  EXPECT_EQ(Ask(transport, lines), "");
  EXPECT_EQ(ReadFully(in, 4), "abcd");
}

// Row W13.
TEST_P(WriteTransportTest, EndsAfterWriteEofOnce) {
  auto [in, out] = MakePipe();
  WriteTransport transport = Writing(std::move(out));
  caf::anon_send(transport, WriteEof{});
  caf::anon_send(transport, WriteEof{});
  ASSERT_TRUE(trace_->WaitFor("CL(None)"));
  EXPECT_EQ(ReadFully(in, 1), "");
  EXPECT_THAT(trace_->events(), ElementsAre("CM", "CL(None)"));
}

// Rows W13 and W14: it flushes, as long as that takes.
TEST_P(WriteTransportTest, FlushesBeforeItCloses) {
  auto [in, out] = MakePipe();
  size_t filled = Fill(out);
  WriteTransport transport = Writing(std::move(out));
  Send(transport, "rest");
  caf::anon_send(transport, CloseTransport{});
  caf::anon_send(transport, CloseTransport{});
  EXPECT_TRUE(Info(transport).closing);
  WaitForIteration(*io_);
  EXPECT_THAT(trace_->events(), ElementsAre("CM"));
  EXPECT_EQ(ReadFully(in, filled + 4).substr(filled), "rest");
  ASSERT_TRUE(trace_->WaitFor("CL(None)"));
  EXPECT_EQ(ReadFully(in, 1), "");
}

// Row W15, golden trace "write pipe abort"; W23.
TEST_P(WriteTransportTest, DropsItsBufferWhenItIsAborted) {
  auto [in, out] = MakePipe();
  size_t filled = Fill(out);
  WriteTransport transport = Writing(std::move(out));
  Send(transport, std::string(100000, 'x'));
  ASSERT_TRUE(trace_->WaitFor("PAUSE"));
  caf::anon_send(transport, CloseTransport{});
  caf::anon_send(transport, AbortTransport{});
  ASSERT_TRUE(trace_->WaitFor("CL(None) lost 100000"));
  EXPECT_EQ(ReadFully(in, filled + 1).size(), filled);
  EXPECT_THAT(trace_->events(),
              ElementsAre("CM", "PAUSE", "CL(None) lost 100000"));
}

// Row W16: asyncio fails here.
TEST_P(WriteTransportTest, TellsTheLossOnceHoweverOftenItIsAborted) {
  auto [in, out] = MakePipe();
  WriteTransport transport = Writing(std::move(out));
  caf::anon_send(transport, CloseTransport{});
  caf::anon_send(transport, AbortTransport{});
  caf::anon_send(transport, AbortTransport{});
  ASSERT_TRUE(trace_->WaitFor("CL(None)"));
  caf::anon_send(transport, AbortTransport{});
  WaitForIteration(*io_);
  EXPECT_THAT(trace_->events(), ElementsAre("CM", "CL(None)"));
}

// Rows W24, V35, as R12.
TEST_P(WriteTransportTest, MayBeClosedInConnectionMade) {
  for (bool abort : {false, true}) {
    auto [in, out] = MakePipe();
    WriteTransport transport = SpawnWriteTransport(host(), io());
    ProtocolScript script;
    script.made = [&] {
      if (abort) {
        caf::anon_send(transport, AbortTransport{});
      } else {
        caf::anon_send(transport, CloseTransport{});
      }
    };
    EXPECT_EQ(Connect(transport, std::move(out), Protocol(script)), "");
    ASSERT_TRUE(trace_->WaitFor("CL(None)", abort ? 2 : 1));
    EXPECT_EQ(ReadFully(in, 1), "");
  }
  EXPECT_THAT(trace_->events(),
              ElementsAre("CM", "CL(None)", "CM", "CL(None)"));
}

// Row W26, as R16.
TEST_P(WriteTransportTest, TellsTheNewProtocolFromTheNextEventOn) {
  auto [in, out] = MakePipe();
  WriteTransport transport = Writing(std::move(out));
  ProtocolScript script;
  script.name = "new ";
  caf::anon_send(transport, SetWriteProtocol{Protocol(script)});
  caf::anon_send(transport, CloseTransport{});
  ASSERT_TRUE(trace_->WaitFor("new CL(None)"));
  EXPECT_THAT(trace_->events(), ElementsAre("CM", "new CL(None)"));
}

// Row W26, as R15.
TEST_P(WriteTransportTest, ClosesTheDescriptorWhenTheConnectionIsLost) {
  auto [in, out] = MakePipe();
  caf::anon_send(Writing(std::move(out)), CloseTransport{});
  EXPECT_EQ(ReadFully(in, 1), "");
  EXPECT_FALSE(IsOpen(number_));
}

// Row W26, as R17.
TEST_P(WriteTransportTest, SaysWhatItServes) {
  auto [in, out] = MakePipe();
  WriteTransport transport = SpawnWriteTransport(host(), io());
  EXPECT_EQ(Info(transport).fd, -1);
  const int number = out.get();
  ASSERT_EQ(Connect(transport, std::move(out), Protocol()), "");
  EXPECT_EQ(Info(transport).fd, number);
  EXPECT_FALSE(Info(transport).closing);
}

TEST_P(WriteTransportTest, WorksWithoutAProtocol) {
  auto [in, out] = MakePipe();
  WriteTransport transport = SpawnWriteTransport(host(), io());
  EXPECT_EQ(Connect(transport, std::move(out), WriteProtocol()), "");
  Send(transport, "text");
  EXPECT_EQ(ReadFully(in, 4), "text");
  caf::anon_send(transport, CloseTransport{});
  EXPECT_EQ(ReadFully(in, 1), "");
}

}  // namespace
}  // namespace troupe
