#include "io/standard_streams.h"

#include <sys/fsuid.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <optional>
#include <string>
#include <utility>

#include "caf/scoped_actor.hpp"
#include "caf/send.hpp"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "io/os_error.h"
#include "io/read_transport.h"
#include "io/write_transport.h"
#include "tests/io/standard_streams_fixture.h"
#include "tests/support/descriptors.h"
#include "tests/support/io_fixture.h"

namespace troupe {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class StandardStreamsTest : public StandardStreamsFixture {};

// As long as one lives, this thread may not open `fd` again through /proc,
// whoever runs the test.
class Refusal {
 public:
  explicit Refusal(const OwnedFd& fd) {
    EXPECT_EQ(fchmod(fd.get(), 0), 0);
    if (geteuid() == 0) setfsuid(65534);
  }
  ~Refusal() {
    if (geteuid() != 0) return;
    setfsuid(0);
    prctl(PR_SET_DUMPABLE, 1);  // a change of user took it away
  }
};

TEST_F(StandardStreamsTest, ReadsAPipeOnTheSharedThread) {
  auto [in, out] = MakePipe();
  InheritedStream stream = Input(in);
  EXPECT_FALSE(stream.has_own_thread());
  Read(stream);
  ASSERT_EQ(write(out.get(), "one", 3), 3);
  ASSERT_TRUE(trace_->WaitFor("DR(3)"));
  EXPECT_FALSE(IsNonBlocking(in));
  out.Close();
  ASSERT_TRUE(trace_->WaitFor("CL(None)"));
  EXPECT_THAT(trace_->events(), ElementsAre("CM", "DR(3)", "EOF", "CL(None)"));
}

// Row A23.
TEST_F(StandardStreamsTest, ReadsATerminalAndLeavesItBlocking) {
  auto [slave, master] = MakeTerminal();
  InheritedStream stream = Input(slave);
  EXPECT_FALSE(stream.has_own_thread());
  Read(stream);
  ASSERT_EQ(write(master.get(), "line\n", 5), 5);
  ASSERT_TRUE(trace_->WaitFor("DR(5)"));
  EXPECT_FALSE(IsNonBlocking(slave));
  EXPECT_EQ(received_, "line\n");
}

// A second open of /dev/ptmx is another terminal.
TEST_F(StandardStreamsTest, DoesNotOpenAMasterAnew) {
  auto [slave, master] = MakeTerminal();
  InheritedStream stream = Input(master);
  EXPECT_TRUE(stream.has_own_thread());
  Read(stream);
  ASSERT_EQ(write(slave.get(), "out", 3), 3);
  ASSERT_TRUE(trace_->WaitFor("DR(3)"));
  EXPECT_FALSE(IsNonBlocking(master));
}

TEST_F(StandardStreamsTest, ReadsASocketAndLeavesItBlocking) {
  auto [in, out] = MakeSocketPair();
  InheritedStream stream = Input(in);
  EXPECT_FALSE(stream.has_own_thread());
  Read(stream);
  ASSERT_EQ(write(out.get(), "data", 4), 4);
  ASSERT_TRUE(trace_->WaitFor("DR(4)"));
  EXPECT_FALSE(IsNonBlocking(in));
}

// Row A23.
TEST_F(StandardStreamsTest, WritesPipesTerminalsAndSocketsAndLeavesThem) {
  for (Ends (*make)() : {MakeTerminal, +[] { return MakeSocketPair(); },
                         +[] {
                           auto [in, out] = MakePipe();
                           return Ends(std::move(out), std::move(in));
                         }}) {
    auto [ours, theirs] = make();
    size_t lost = trace_->Count("CL(None)");
    InheritedStream stream = Output(ours);
    EXPECT_FALSE(stream.has_own_thread());
    WriteTransport transport = Writer(stream);
    caf::anon_send(transport, Write{Bytes::Copy("text"), {}});
    char text[4];
    EXPECT_EQ(read(theirs.get(), text, 4), 4);
    EXPECT_FALSE(IsNonBlocking(ours));
    caf::anon_send(transport, CloseTransport{});
    ASSERT_TRUE(trace_->WaitFor("CL(None)", lost + 1));
  }
}

TEST_F(StandardStreamsTest, ServesAPipeThatMayNotBeOpenedAnew) {
  auto [in, out] = MakePipe();
  std::optional<Refusal> refusal(in);
  InheritedStream stream = Input(in);
  refusal.reset();
  ASSERT_TRUE(stream.has_own_thread());
  Read(stream);
  std::string sent(300000, 'x');
  WriteFully(out, sent);
  out.Close();
  ASSERT_TRUE(trace_->WaitFor("CL(None)"));
  EXPECT_EQ(received_, sent);
  EXPECT_EQ(trace_->Count("EOF"), 1u);
  EXPECT_FALSE(IsNonBlocking(in));
}

TEST_F(StandardStreamsTest, StopsWhileAReadWouldBlock) {
  auto [in, out] = MakePipe();
  {
    std::optional<Refusal> refusal(in);
    InheritedStream stream = Input(in);
    refusal.reset();
    ASSERT_TRUE(stream.has_own_thread());
    Read(stream);
  }
  ASSERT_TRUE(trace_->WaitFor("CL(the transport was ended)"));
}

// Another reader took what poll had announced while the transport was paused.
TEST_F(StandardStreamsTest, DoesNotBlockInAReadThatSomebodyElseWasFasterWith) {
  auto [in, out] = MakePipe();
  std::optional<Refusal> refusal(in);
  InheritedStream stream = Input(in);
  refusal.reset();
  ASSERT_TRUE(stream.has_own_thread());
  ReadTransport transport = Read(stream);
  caf::scoped_actor self(*system_);
  auto round_trip = [&] {
    self->request(transport, caf::infinite, GetTransportInfo{})
        .receive([](const TransportInfo&) {}, [](const caf::error&) {});
  };
  self->send(transport, PauseReading{});
  round_trip();
  ASSERT_EQ(write(out.get(), "x", 1), 1);
  WaitForIteration(stream.thread());  // poll has said so, nobody has read
  char taken;
  ASSERT_EQ(read(in.get(), &taken, 1), 1);
  self->send(transport, ResumeReading{});
  round_trip();
  WaitForIteration(stream.thread());  // it would be stuck in the read
  ASSERT_EQ(write(out.get(), "yz", 2), 2);
  ASSERT_TRUE(trace_->WaitFor("DR(2)"));
  EXPECT_EQ(received_, "yz");
}

TEST_F(StandardStreamsTest, StopsWhileAWriteWouldBlock) {
  auto [in, out] = MakePipe();
  {
    std::optional<Refusal> refusal(out);
    InheritedStream stream = Output(out);
    refusal.reset();
    ASSERT_TRUE(stream.has_own_thread());
    WriteTransport transport = Writer(stream);
    caf::anon_send(transport, Write{Bytes(std::string(1 << 20, 'x')), {}});
    ASSERT_TRUE(trace_->WaitFor("PAUSE"));
    std::string text(65536, 0);
    ASSERT_GT(read(in.get(), text.data(), text.size()), 0);
  }
  ASSERT_TRUE(trace_->WaitUntil([](const auto& e) { return e.size() == 3; }));
  EXPECT_THAT(trace_->events()[2], HasSubstr("CL(the transport was ended)"));
  EXPECT_FALSE(IsNonBlocking(out));
}

// The pipe is full before the first byte: a write that was not announced by
// poll would block the thread for good.
TEST_F(StandardStreamsTest, DoesNotWriteBeforeThereIsRoom) {
  auto [in, out] = MakePipe();
  std::optional<Refusal> refusal(out);
  InheritedStream stream = Output(out);
  refusal.reset();
  size_t size = Fill(out);
  WriteTransport transport = Writer(stream);
  caf::scoped_actor self(*system_);
  self->send(transport, Write{Bytes::Copy("late"), {}});
  self->request(transport, caf::infinite, GetTransportInfo{})
      .receive(
          [](const TransportInfo& info) {
            EXPECT_EQ(info.writing.buffered, 4u);
          },
          [](const caf::error&) { FAIL(); });
  ASSERT_EQ(ReadFully(in, size).size(), size);
  EXPECT_EQ(ReadFully(in, 4), "late");
}

// Row A23: the terminal of a whole job. What reads and writes there through
// other descriptors of the same open file never sees EAGAIN.
TEST_F(StandardStreamsTest, NeverMakesASharedTerminalNonBlocking) {
  auto [slave, master] = MakeTerminal();
  OwnedFd siblings(dup(slave.get()));
  {
    InheritedStream in = Input(slave);
    InheritedStream out = Output(slave);
    ReadTransport reader = Read(in);
    WriteTransport writer = Writer(out);
    ASSERT_EQ(write(master.get(), "line\n", 5), 5);
    ASSERT_TRUE(trace_->WaitFor("DR(5)"));
    EXPECT_FALSE(IsNonBlocking(siblings));
    caf::anon_send(writer, CloseTransport{});
    caf::anon_send(reader, CloseTransport{});
    ASSERT_TRUE(trace_->WaitFor("CL(None)", 2));
  }
  EXPECT_FALSE(IsNonBlocking(siblings));
}

TEST_F(StandardStreamsTest, RefusesTheWrongEndAndAClosedNumber) {
  auto [in, out] = MakePipe();
  auto wrong = InheritedStream::OpenInput(*system_, *io_, out.get());
  EXPECT_EQ(OsFailureOf(wrong.status()).value().error_number, EBADF);
  EXPECT_EQ(OsFailureOf(wrong.status()).value().step, "read");
  wrong = InheritedStream::OpenOutput(*system_, *io_, in.get());
  EXPECT_EQ(OsFailureOf(wrong.status()).value().step, "write");
  auto closed = InheritedStream::OpenInput(*system_, *io_, 1 << 20);
  EXPECT_EQ(OsFailureOf(closed.status()).value().error_number, EBADF);
}

}  // namespace
}  // namespace troupe
