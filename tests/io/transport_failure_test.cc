// What happens to transports when those around them die, stop or are far away.
#include <unistd.h>

#include <cerrno>
#include <string>
#include <utility>
#include <vector>

#include "caf/exit_reason.hpp"
#include "caf/send.hpp"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "io/read_transport.h"
#include "io/thread_mask.h"
#include "io/write_transport.h"
#include "tests/support/descriptors.h"
#include "tests/support/io_fixture.h"

namespace troupe {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

template <class Handle>
void Kill(const Handle& actor) {
  caf::anon_send_exit(actor, caf::exit_reason::kill);
}

class TransportFailureTest : public IoTest {
 protected:
  ReadTransport Reading(OwnedFd fd, ReadProtocol protocol) {
    ReadTransport transport = SpawnReadTransport(host(), io());
    EXPECT_EQ(Connect(transport, std::move(fd), std::move(protocol)), "");
    return transport;
  }
  WriteTransport Writing(OwnedFd fd, WriteProtocol protocol) {
    WriteTransport transport = SpawnWriteTransport(host(), io());
    EXPECT_EQ(Connect(transport, std::move(fd), std::move(protocol)), "");
    return transport;
  }
};

TEST_F(TransportFailureTest, TellsTheOwnerWhatADeadProtocolLeftUnread) {
  auto [in, out] = MakePipe();
  ReadProtocol protocol = NewReadProtocol();
  ReadTransport transport = Reading(std::move(in), protocol);
  caf::anon_send(transport, PauseReading{});
  Info(transport);
  WriteFully(out, "12345");
  Kill(protocol);
  ASSERT_TRUE(trace_->WaitFor("LOST(5)"));
  WaitForHangUp(out);
  EXPECT_THAT(trace_->events(), ElementsAre("CM", "LOST(5)"));
}

// The credits of a dead consumer come back; nothing is read for it.
TEST_F(TransportFailureTest, ReadsNothingIntoNothing) {
  ScopedSigpipeBlock guard;
  for (int round = 0; round < 20; ++round) {
    auto [in, out] = MakePipe();
    SetNonBlocking(out);
    ProtocolScript script;
    script.forget = true;
    ReadProtocol protocol =
        round % 2 ? NewReadProtocol(script) : NewResidentReadProtocol(script);
    Reading(std::move(in), protocol);
    std::string piece(65536, 'x');
    ssize_t n = 0;
    for (size_t writes = 0; n >= 0 || errno == EAGAIN; ++writes) {
      n = write(out.get(), piece.data(), piece.size());
      if (writes == 10) Kill(protocol);
    }
    EXPECT_EQ(errno, EPIPE);
  }
}

TEST_F(TransportFailureTest, FlushesAWriterWhoseProtocolDied) {
  auto [in, out] = MakePipe();
  size_t filled = Fill(out);
  WriteProtocol protocol = NewWriteProtocol();
  WriteTransport transport = Writing(std::move(out), protocol);
  caf::anon_send(transport, Write{Bytes::Copy("rest"), {}});
  Kill(protocol);
  ASSERT_TRUE(trace_->WaitFor("LOST(0)"));
  EXPECT_EQ(ReadFully(in, filled + 5).substr(filled), "rest");
}

TEST_F(TransportFailureTest, TellsALossWhenItIsKilledItself) {
  auto [in, out] = MakePipe();
  auto [in2, out2] = MakePipe();
  Kill(Reading(std::move(in), NewReadProtocol()));
  ASSERT_TRUE(trace_->WaitFor("CL(the transport was ended)"));
  Kill(Writing(std::move(out2), NewWriteProtocol()));
  ASSERT_TRUE(trace_->WaitFor("CL(the transport was ended)", 2));
  WaitForHangUp(out);
  EXPECT_EQ(ReadFully(in2, 1), "");
}

TEST_F(TransportFailureTest, EndsWithTheReasonItIsToldToGoFor) {
  auto [in, out] = MakePipe();
  ReadTransport transport = Reading(std::move(in), NewReadProtocol());
  caf::anon_send_exit(transport, caf::exit_reason::user_shutdown);
  ASSERT_TRUE(trace_->WaitUntil([](const auto& e) { return e.size() == 2; }));
  EXPECT_THAT(trace_->events()[1], HasSubstr("user_shutdown"));
  WaitForHangUp(out);
}

TEST_F(TransportFailureTest, TellsEverybodyWhenTheLoopStops) {
  auto [in, out] = MakePipe();
  auto [in2, out2] = MakePipe();
  Reading(std::move(in), NewReadProtocol());
  Writing(std::move(out2), NewWriteProtocol());
  io_->Stop();
  ASSERT_TRUE(trace_->WaitFor("CL(the transport was ended)", 2));
  WaitForHangUp(out);
}

// Whoever asked is answered, whatever becomes of the transport meanwhile.
TEST_F(TransportFailureTest, AnswersAConnectThatIsKilled) {
  auto [in, out] = MakePipe();
  ReadTransport transport = SpawnReadTransport(host(), io());
  ProtocolScript script;
  script.made = [&] { Kill(transport); };
  EXPECT_EQ(Connect(transport, std::move(in), NewResidentReadProtocol(script)),
            "the transport was ended");
  WaitForHangUp(out);
}

TEST_F(TransportFailureTest, AnswersAConnectOfADeadProtocol) {
  auto [in, out] = MakePipe();
  auto [in2, out2] = MakePipe();
  ReadProtocol reader = NewReadProtocol();
  WriteProtocol writer = NewWriteProtocol();
  Kill(reader);
  Kill(writer);
  EXPECT_NE(Connect(SpawnReadTransport(host(), io()), std::move(in), reader),
            "");
  EXPECT_NE(Connect(SpawnWriteTransport(host(), io()), std::move(out2), writer),
            "");
  WaitForHangUp(out);
  EXPECT_EQ(ReadFully(in2, 1), "");
}

TEST_F(TransportFailureTest, RefusesWhatIsAskedAfterTheLoopStopped) {
  auto [in, out] = MakePipe();
  auto [in2, out2] = MakePipe();
  io_->Stop();
  EXPECT_NE(Connect(SpawnReadTransport(host(), io()), std::move(in),
                    NewReadProtocol()),
            "");
  EXPECT_NE(Connect(SpawnWriteTransport(host(), io()), std::move(out2),
                    NewWriteProtocol()),
            "");
}

TEST_F(TransportFailureTest, RefusesAReaderWithoutProtocol) {
  auto [in, out] = MakePipe();
  EXPECT_EQ(
      Connect(SpawnReadTransport(host(), io()), std::move(in), ReadProtocol()),
      "a transport needs a protocol");
}

// Not held by a handle: the watch keeps the transport, the transport's monitor
// does not keep the protocol.
TEST_F(TransportFailureTest, GoesOnWithoutHandles) {
  auto [in, out] = MakePipe();
  Reading(std::move(in), NewResidentReadProtocol());
  for (int i = 1; i <= 3; ++i) {
    WriteFully(out, "x");
    ASSERT_TRUE(trace_->WaitFor("DR(1)", i));
  }
}

TEST_F(TransportFailureTest, SurvivesAFloodOfStrangeMessages) {
  auto [in, out] = MakePipe();
  ReadTransport transport = Reading(std::move(in), NewReadProtocol());
  auto dynamic = caf::actor_cast<caf::strong_actor_ptr>(transport);
  for (int i = 0; i < 10000; ++i) {
    dynamic->enqueue(nullptr, caf::make_message_id(),
                     caf::make_message(FdReady{WatchId{1}, Side::kRead, {}}),
                     nullptr);
    dynamic->enqueue(nullptr, caf::make_message_id(),
                     caf::make_message(std::string("who are you?")), nullptr);
  }
  WriteFully(out, "x");
  ASSERT_TRUE(trace_->WaitFor("DR(1)"));
}

}  // namespace
}  // namespace troupe
