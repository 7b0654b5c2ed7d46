#include "io/read_transport.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <cerrno>
#include <stdexcept>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "caf/send.hpp"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "io/os_error.h"
#include "tests/io/read_transport_fixture.h"
#include "tests/support/descriptors.h"
#include "tests/support/home.h"
#include "tests/support/io_fixture.h"

namespace troupe {
namespace {

using ::testing::ElementsAre;

// Every promise holds for a protocol on a worker and for one on the I/O thread.
class ReadTransportTest : public ReadTransportFixture {};

INSTANTIATE_TEST_SUITE_P(Homes, ReadTransportTest, EveryHome(), NameOfHome);

// Row R1. The descriptor is not lost to whoever kept a copy of the ticket.
TEST_P(ReadTransportTest, RefusesWhatIsNoPipeWithAsynciosText) {
  constexpr char kText[] = "Pipe transport is for pipes/sockets only.";
  OwnedFd file = MakeFile("x", O_RDONLY);
  int number = file.get();
  FdTicket ticket(std::move(file));
  EXPECT_EQ(Connect(SpawnReadTransport(host(), io()), ticket, Protocol()),
            kText);
  EXPECT_EQ(ticket.Take().get(), number);
  EXPECT_EQ(Refusal(OwnedFd(open("/", O_RDONLY | O_CLOEXEC))), kText);
  EXPECT_EQ(Refusal(OwnedFd(eventfd(0, EFD_CLOEXEC))), kText);
  EXPECT_EQ(Refusal(OwnedFd()), "Invalid file descriptor: -1");
  EXPECT_THAT(trace_->events(), ElementsAre());
}

// Row R2: asyncio connects and is idle for ever.
TEST_P(ReadTransportTest, RefusesDevNullAtOnce) {
  OwnedFd null(open("/dev/null", O_RDONLY | O_CLOEXEC));
  std::string text =
      absl::StrCat("epoll_ctl \"fd ", null.get(), "\": ", ErrnoText(EPERM));
  EXPECT_EQ(Refusal(std::move(null)), text);
  EXPECT_THAT(trace_->events(), ElementsAre());
}

// Row R3.
TEST_P(ReadTransportTest, SetsPipesNonBlockingButNotSockets) {
  auto [in, out] = MakePipe();
  OwnedFd same(dup(in.get()));
  ReadTransport pipe = Reading(std::move(in));
  EXPECT_TRUE(IsNonBlocking(same));
  auto [ours, theirs] = MakeSocketPair();
  OwnedFd socket(dup(ours.get()));
  Reading(std::move(ours));
  WriteFully(theirs, "x");
  ASSERT_TRUE(trace_->WaitFor("DR(1)"));
  EXPECT_FALSE(IsNonBlocking(socket));
}

// Row R4.
TEST_P(ReadTransportTest, AnswersConnectAfterConnectionMade) {
  auto [in, out] = MakePipe();
  WriteFully(out, "early");
  Reading(std::move(in));
  EXPECT_EQ(trace_->events()[0], "CM");
  ASSERT_TRUE(trace_->WaitFor("DR(5)"));
}

// Golden trace "read pipe, 10 bytes + EOF"; row R5.
TEST_P(ReadTransportTest, TellsMadeThenDataThenEofThenLost) {
  auto [in, out] = MakePipe();
  Reading(std::move(in));
  WriteFully(out, "0123456789");
  ASSERT_TRUE(trace_->WaitFor("DR(10)"));
  out.Close();
  ASSERT_TRUE(trace_->WaitFor("CL(None)"));
  EXPECT_THAT(trace_->events(), ElementsAre("CM", "DR(10)", "EOF", "CL(None)"));
  EXPECT_EQ(received_, "0123456789");
}

// Row R6, with chunks of 64 KiB where asyncio has 256.
TEST_P(ReadTransportTest, ReadsABlockAtATime) {
  auto [in, out] = MakePipe();
  ASSERT_GE(fcntl(out.get(), F_SETPIPE_SZ, 1 << 20), 1 << 20);
  WriteFully(out, std::string(1000000, 'x'));
  out.Close();
  Reading(std::move(in));
  ASSERT_TRUE(trace_->WaitFor("CL(None)"));
  EXPECT_EQ(received_.size(), 1000000u);
  EXPECT_EQ(trace_->Count("DR(65536)"), 15u);
  EXPECT_EQ(trace_->Count("DR(16960)"), 1u);
}

// Row R21; R8 for an error that is not EIO.
TEST_P(ReadTransportTest, TellsOfTheWrongEndAtTheFirstEvent) {
  auto [in, out] = MakePipe();
  Reading(std::move(out));
  in.Close();
  std::string lost =
      absl::StrCat("CL(read \"fd ", number_, "\": Bad file descriptor)");
  ASSERT_TRUE(trace_->WaitFor(lost));
  EXPECT_THAT(trace_->events(), ElementsAre("CM", lost));
}

// Row R9: here an exception ends the protocol, as it ends any actor, and that
// closes the transport; in EofReceived everything has been read already.
TEST_P(ReadTransportTest, ClosesWhenTheProtocolThrows) {
  auto [in, out] = MakePipe();
  ProtocolScript script;
  script.data = [](DataReceived&) { throw std::runtime_error("a bug"); };
  Reading(std::move(in), script);
  WriteFully(out, "x");
  ASSERT_TRUE(trace_->WaitFor("LOST(0)"));
  pollfd peer = {out.get(), 0, 0};
  EXPECT_EQ(poll(&peer, 1, -1), 1);  // the read end was closed
  EXPECT_THAT(trace_->events(), ElementsAre("CM", "DR(1)", "LOST(0)"));
}

// Row R9: one that throws in ConnectionMade was never connected.
TEST_P(ReadTransportTest, FailsToConnectWhenConnectionMadeThrows) {
  auto [in, out] = MakePipe();
  ProtocolScript script;
  script.made = [] { throw std::runtime_error("a bug"); };
  ReadTransport transport = SpawnReadTransport(host(), io());
  EXPECT_NE(Connect(transport, std::move(in), Protocol(script)), "");
  WaitForHangUp(out);
  EXPECT_EQ(trace_->Count("LOST(0)"), 0u);
}

// Row R10.
TEST_P(ReadTransportTest, NoticesNothingWhilePaused) {
  auto [in, out] = MakePipe();
  ReadTransport transport = Reading(std::move(in));
  caf::anon_send(transport, PauseReading{});
  caf::anon_send(transport, PauseReading{});
  EXPECT_TRUE(Info(transport).reading.paused);
  WriteFully(out, "data");
  out.Close();
  WaitForIteration(*io_);
  EXPECT_THAT(trace_->events(), ElementsAre("CM"));
  caf::anon_send(transport, ResumeReading{});
  caf::anon_send(transport, ResumeReading{});
  ASSERT_TRUE(trace_->WaitFor("CL(None)"));
  EXPECT_THAT(trace_->events(), ElementsAre("CM", "DR(4)", "EOF", "CL(None)"));
}

// Rows R10, V36.
TEST_P(ReadTransportTest, MayBePausedAndResumedAfterItsEnd) {
  auto [in, out] = MakePipe();
  ReadTransport transport = Reading(std::move(in));
  out.Close();
  ASSERT_TRUE(trace_->WaitFor("CL(None)"));
  caf::anon_send(transport, PauseReading{});
  caf::anon_send(transport, ResumeReading{});
  WaitForIteration(*io_);
  EXPECT_THAT(trace_->events(), ElementsAre("CM", "EOF", "CL(None)"));
}

// Rows R11, V34, as of 3.12.
TEST_P(ReadTransportTest, StaysPausedWhenItIsPausedInConnectionMade) {
  auto [in, out] = MakePipe();
  WriteFully(out, "data");
  ReadTransport transport = SpawnReadTransport(host(), io());
  ProtocolScript script;
  script.made = [&] { caf::anon_send(transport, PauseReading{}); };
  ASSERT_EQ(Connect(transport, std::move(in), Protocol(script)), "");
  WaitForIteration(*io_);
  EXPECT_TRUE(Info(transport).reading.paused);
  EXPECT_THAT(trace_->events(), ElementsAre("CM"));
  caf::anon_send(transport, ResumeReading{});
  ASSERT_TRUE(trace_->WaitFor("DR(4)"));
}

// Rows R12, V35: whoever connects is answered, and the number is free for the
// next.
TEST_P(ReadTransportTest, MayBeClosedInConnectionMade) {
  auto [in, out] = MakePipe();
  int number = in.get();
  ReadTransport transport = SpawnReadTransport(host(), io());
  ProtocolScript script;
  script.made = [&] { caf::anon_send(transport, CloseTransport{}); };
  EXPECT_EQ(Connect(transport, std::move(in), Protocol(script)), "");
  ASSERT_TRUE(trace_->WaitFor("CL(None)"));
  EXPECT_THAT(trace_->events(), ElementsAre("CM", "CL(None)"));
  pollfd peer = {out.get(), 0, 0};
  ASSERT_EQ(poll(&peer, 1, -1), 1);

  auto [in2, out2] = MakePipe();
  ASSERT_EQ(in2.get(), number);
  Reading(std::move(in2));
  WriteFully(out2, "next");
  ASSERT_TRUE(trace_->WaitFor("DR(4)"));
}

// Golden trace "read pipe, close()"; row R13.
TEST_P(ReadTransportTest, TellsOnlyLostAfterClose) {
  auto [in, out] = MakePipe();
  ReadTransport transport = Reading(std::move(in));
  caf::anon_send(transport, CloseTransport{});
  caf::anon_send(transport, CloseTransport{});
  ASSERT_TRUE(trace_->WaitFor("CL(None)"));
  WaitForIteration(*io_);
  EXPECT_THAT(trace_->events(), ElementsAre("CM", "CL(None)"));
}

// Golden trace "read pipe, close in DR"; row R14.
TEST_P(ReadTransportTest, MayBeClosedInDataReceived) {
  auto [in, out] = MakePipe();
  ReadTransport transport = SpawnReadTransport(host(), io());
  ProtocolScript script;
  script.data = [&](DataReceived&) {
    caf::anon_send(transport, CloseTransport{});
  };
  ASSERT_EQ(Connect(transport, std::move(in), Protocol(script)), "");
  WriteFully(out, "ab");
  ASSERT_TRUE(trace_->WaitFor("CL(None)"));
  EXPECT_THAT(trace_->events(), ElementsAre("CM", "DR(2)", "CL(None)"));
}

// Row R15: by the I/O actor, when ConnectionLost is on its way.
TEST_P(ReadTransportTest, ClosesTheDescriptorWhenTheConnectionIsLost) {
  auto [in, out] = MakePipe();
  ReadTransport transport = Reading(std::move(in));
  caf::anon_send(transport, CloseTransport{});
  pollfd peer = {out.get(), 0, 0};
  ASSERT_EQ(poll(&peer, 1, -1), 1);
  EXPECT_TRUE(peer.revents & POLLERR);
  EXPECT_FALSE(IsOpen(number_));
}

// Row R16.
TEST_P(ReadTransportTest, TellsTheNewProtocolFromTheNextEventOn) {
  auto [in, out] = MakePipe();
  ReadTransport transport = Reading(std::move(in));
  WriteFully(out, "1");
  ASSERT_TRUE(trace_->WaitFor("DR(1)"));
  ProtocolScript script;
  script.name = "new ";
  ReadProtocol next = Protocol(script);
  caf::anon_send(transport, SetReadProtocol{next});
  Info(transport);
  WriteFully(out, "22");
  ASSERT_TRUE(trace_->WaitFor("new DR(2)"));
  out.Close();
  ASSERT_TRUE(trace_->WaitFor("new CL(None)"));
  EXPECT_THAT(trace_->events(), ElementsAre("CM", "DR(1)", "new DR(2)",
                                            "new EOF", "new CL(None)"));
}

// Row R17.
TEST_P(ReadTransportTest, SaysWhatItServes) {
  auto [in, out] = MakePipe();
  ReadTransport transport = SpawnReadTransport(host(), io());
  EXPECT_EQ(Info(transport).fd, -1);
  int number = in.get();
  ASSERT_EQ(Connect(transport, std::move(in), Protocol()), "");
  EXPECT_EQ(Info(transport).fd, number);
  EXPECT_FALSE(Info(transport).closing);
  EXPECT_FALSE(Info(transport).reading.paused);
}

}  // namespace
}  // namespace troupe
