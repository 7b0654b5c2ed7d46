// What transports say in debug mode, and that they say nothing without it.
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "caf/exit_reason.hpp"
#include "caf/send.hpp"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "io/io_thread.h"
#include "io/owned_fd.h"
#include "io/read_transport.h"
#include "io/sockets/stream_transport.h"
#include "io/write_transport.h"
#include "tests/support/descriptors.h"
#include "tests/support/stream_fixture.h"
#include "tests/support/trace.h"

namespace troupe {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

class DebugLogTest : public StreamTest {
 protected:
  using IoTest::Connect;
  using StreamTest::Connect;

  DebugLogTest() {
    IoThread::Options options;
    options.debug = [log = log_](absl::string_view line) {
      log->Add(std::string(line));
    };
    auto io = IoThread::Start(*system_, std::move(options));
    EXPECT_TRUE(io.ok()) << io.status();
    io_ = *std::move(io);
  }

  ReadTransport Reading(OwnedFd fd) {
    number_ = fd.get();
    ReadTransport transport = SpawnReadTransport(host(), io());
    protocol_ = NewReadProtocol();
    EXPECT_EQ(Connect(transport, std::move(fd), protocol_), "");
    return transport;
  }
  WriteTransport Writing(OwnedFd fd) {
    number_ = fd.get();
    WriteTransport transport = SpawnWriteTransport(host(), io());
    EXPECT_EQ(Connect(transport, std::move(fd), WriteProtocol()), "");
    return transport;
  }
  StreamTransport Stream(OwnedFd fd) {
    number_ = fd.get();
    StreamTransport transport = SpawnStreamTransport(host(), io());
    EXPECT_EQ(Connect(transport, std::move(fd), NewStreamProtocol(),
                      AfterEof::kHalfOpen),
              "");
    return transport;
  }
  std::string Reader(const std::string& doing) const {
    return absl::StrCat("<ReadTransport fd=", number_, " ", doing, ">");
  }
  std::string Writer(const std::string& doing) const {
    return absl::StrCat("<WriteTransport fd=", number_, " ", doing, ">");
  }
  // What is said from now on.
  std::vector<std::string> Said() const {
    const std::vector<std::string> all = log_->events();
    return {all.begin() + heard_, all.end()};
  }
  void Forget() { heard_ = log_->events().size(); }

  std::shared_ptr<Trace> log_ = std::make_shared<Trace>();
  size_t heard_ = 0;
  int number_ = -1;
  ReadProtocol protocol_;
};

// Row R22.
TEST_F(DebugLogTest, SaysThatAPipeIsConnected) {
  auto [in, out] = MakePipe();
  ReadTransport reader = Reading(std::move(in));
  Info(reader);
  EXPECT_THAT(Said(),
              ElementsAre(absl::StrCat("Read pipe ", number_, " connected: (",
                                       Reader("polling"), ", <actor ",
                                       protocol_.id(), ">)")));
  Forget();
  WriteTransport writer = Writing(std::move(out));
  Info(writer);
  EXPECT_THAT(Said(), ElementsAre(absl::StrCat(
                          "Write pipe ", number_, " connected: (",
                          Writer("idle bufsize=0"), ", no protocol)")));
}

// Row R22, for both ends.
TEST_F(DebugLogTest, SaysThatThePeerClosedAPipe) {
  auto [in, out] = MakePipe();
  Reading(std::move(in));
  out.Close();
  ASSERT_TRUE(log_->WaitFor(Reader("idle") + " was closed by peer"));
  auto [in2, out2] = MakePipe();
  Writing(std::move(out2));
  in2.Close();
  ASSERT_TRUE(log_->WaitFor(Writer("idle bufsize=0") + " was closed by peer"));
}

// Row R10.
TEST_F(DebugLogTest, SaysThatReadingPausesAndResumes) {
  auto [in, out] = MakePipe();
  ReadTransport transport = Reading(std::move(in));
  Info(transport);
  Forget();
  for (int i = 0; i < 2; ++i) caf::anon_send(transport, PauseReading{});
  for (int i = 0; i < 2; ++i) caf::anon_send(transport, ResumeReading{});
  Info(transport);
  EXPECT_THAT(Said(), ElementsAre(Reader("idle") + " pauses reading",
                                  Reader("polling") + " resumes reading"));
}

// Rows R8, W9: errors of the system are said here and nowhere else.
TEST_F(DebugLogTest, SaysWhyAConnectionIsLost) {
  auto [in, out] = MakePipe();
  WriteTransport transport = Writing(std::move(out));
  std::string text(1 << 20, 'x');
  caf::anon_send(transport, Write{Bytes(std::move(text)), {}});
  const size_t left = Info(transport).writing.buffered;
  in.Close();
  ASSERT_TRUE(
      log_->WaitFor(absl::StrCat(Writer(absl::StrCat("idle bufsize=", left)),
                                 ": write \"fd ", number_, "\": Broken pipe")));
}

// Rows R10, R22, as of a socket.
TEST_F(DebugLogTest, SaysWhatBecomesOfAStream) {
  auto [ours, theirs] = MakeSocketPair();
  StreamTransport transport = Stream(std::move(ours));
  caf::anon_send(transport, PauseReading{});
  caf::anon_send(transport, ResumeReading{});
  Info(transport);
  theirs.Close();
  ASSERT_TRUE(trace_->WaitFor("CL(None)"));
  const std::string text = absl::StrCat("<StreamTransport fd=", number_);
  std::vector<std::string> said = Said();
  ASSERT_GE(said.size(), 4u);
  EXPECT_TRUE(absl::StartsWith(
      said[0],
      absl::StrCat("Socket ", number_, " connected: (", text,
                   " read=polling write=<idle, bufsize=0>>, <actor ")));
  const std::string idle = " read=idle write=<idle, bufsize=0>>";
  EXPECT_EQ(said[1], absl::StrCat(text, idle, " pauses reading"));
  EXPECT_EQ(said[2],
            absl::StrCat(text, " read=polling write=<idle, bufsize=0>>",
                         " resumes reading"));
  EXPECT_EQ(said[3], absl::StrCat(text, idle, " received EOF"));
}

// Rows R19, W26, V54: nobody closed them, and the end of their thread says so.
TEST_F(DebugLogTest, NamesTheTransportsThatNobodyClosed) {
  auto [in, out] = MakePipe();
  auto [in2, out2] = MakePipe();
  auto [ours, theirs] = MakeSocketPair();
  Reading(std::move(in));
  std::string reader = Reader("polling");
  Writing(std::move(out2));
  std::string writer = Writer("idle bufsize=0");
  StreamTransport stream = Stream(std::move(ours));
  std::string socket = absl::StrCat("<StreamTransport closing fd=", number_,
                                    " read=idle write=<polling, bufsize=");
  caf::anon_send(stream, Write{Bytes(std::string(1 << 20, 'x')), {}});
  caf::anon_send(stream, CloseTransport{});
  socket += absl::StrCat(Info(stream).writing.buffered, ">>");
  Forget();
  io_->Stop();
  EXPECT_THAT(Said(), UnorderedElementsAre("unclosed transport " + reader,
                                           "unclosed transport " + writer,
                                           "unclosed transport " + socket));
}

// What was closed, or never had a descriptor, is not in the ledger.
TEST_F(DebugLogTest, NamesNoTransportThatWasClosed) {
  auto [in, out] = MakePipe();
  ReadTransport closed = Reading(std::move(in));
  ReadTransport unconnected = SpawnReadTransport(host(), io());
  caf::anon_send(closed, CloseTransport{});
  ASSERT_TRUE(trace_->WaitFor("CL(None)"));
  Forget();
  io_->Stop();
  EXPECT_THAT(Said(), IsEmpty());
}

// Row R19: also one that is killed while its thread goes on.
TEST_F(DebugLogTest, NamesATransportThatIsKilled) {
  auto [in, out] = MakePipe();
  ReadTransport transport = Reading(std::move(in));
  caf::anon_send_exit(transport, caf::exit_reason::kill);
  ASSERT_TRUE(log_->WaitFor("unclosed transport " + Reader("polling")));
}

}  // namespace
}  // namespace troupe
