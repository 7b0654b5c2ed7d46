// Descriptors that go through stream transports beside the bytes (row A25).
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <future>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "caf/exit_reason.hpp"
#include "caf/send.hpp"
#include "caf/typed_event_based_actor.hpp"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "io/bytes.h"
#include "io/fd_ticket.h"
#include "io/owned_fd.h"
#include "io/sockets/descriptor_passing.h"
#include "io/sockets/stream_messages.h"
#include "io/sockets/stream_transport.h"
#include "tests/io/sockets/full_descriptor_table.h"
#include "tests/io/sockets/stream_descriptors_fixture.h"
#include "tests/support/descriptors.h"
#include "tests/support/trace.h"

namespace troupe {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class StreamDescriptorsTest : public StreamDescriptorsFixture {};

TEST_F(StreamDescriptorsTest, PassesThemBesideTheBytes) {
  OpenWriter();
  OpenReader();
  FdTicket ticket = Ticket();
  EXPECT_EQ(Pass("hello", {ticket, Ticket()}), "");
  EXPECT_EQ(ticket.number(), -1);
  ASSERT_TRUE(read_->WaitFor("DR hello"));
  EXPECT_THAT(read_->events(), ElementsAre("CM", "FD(2)@0", "DR hello"));
  WriteFully(kept_.at(0), "through");
  EXPECT_EQ(ReadFully(pipe_.first, 7), "through");
  EXPECT_EQ(fcntl(kept_.at(1).get(), F_GETFD), FD_CLOEXEC);
  ExpectAllClosed();
}

// All of it is there before the first read.
TEST_F(StreamDescriptorsTest, TellsThemBeforeTheChunkThatTheyRodeOn) {
  OpenWriter();
  Say("a");
  EXPECT_EQ(Pass("b", Tickets(1)), "");
  Say("c");
  EXPECT_EQ(Pass("d", Tickets(2)), "");
  EXPECT_EQ(Pass("e", Tickets(3)), "");
  Say("f");
  caf::anon_send(writer_, WriteEof{});
  OpenReader();
  ASSERT_TRUE(read_->WaitFor("EOF"));
  const auto events = read_->events();
  EXPECT_THAT(std::vector<std::string>(events.begin(), events.begin() + 9),
              ElementsAre("CM", "FD(1)@0", "DR ab", "FD(2)@2", "DR cd",
                          "FD(3)@4", "DR e", "DR f", "EOF"));
}

// The kernel ends a read behind descriptors: no more will be said of what is
// there already.
TEST_F(StreamDescriptorsTest, ReadsOnBehindThem) {
  PassPlainly(ours_, "a", {pipe_.second.get()});
  PassPlainly(ours_, "b", {pipe_.second.get()});
  PassPlainly(ours_, "c", {});
  OpenReader();
  ASSERT_TRUE(read_->WaitFor("DR c"));
}

// The same without a receiver. A bug: the rest was read when more came.
TEST_F(StreamDescriptorsTest, ReadsOnBehindThemWhenNobodyWantsThem) {
  PassPlainly(ours_, "a", {pipe_.second.get()});
  PassPlainly(ours_, "b", {pipe_.second.get()});
  PassPlainly(ours_, "c", {});
  reader_ = SpawnStreamTransport(host(), io());
  ASSERT_EQ(Connect(reader_, std::move(theirs_), NewStreamProtocol()), "");
  ASSERT_TRUE(trace_->WaitFor("DR(1)", 3));
}

TEST_F(StreamDescriptorsTest, KeepsThemWithTheirMessages) {
  for (int type : {SOCK_SEQPACKET, SOCK_DGRAM}) {
    Pair(type);
    read_ = std::make_shared<Trace>();
    OpenWriter();
    Say("none");
    EXPECT_EQ(Pass("one", Tickets(1)), "");
    EXPECT_EQ(Pass("", Tickets(2)), "");
    EXPECT_EQ(Pass("three", Tickets(3)), "");
    OpenReader();
    ASSERT_TRUE(read_->WaitFor("DR three"));
    EXPECT_THAT(read_->events(),
                ElementsAre("CM", "DR none", "FD(1)@4", "DR one", "FD(2)@7",
                            "DR ", "FD(3)@7", "DR three"));
    caf::anon_send(writer_, AbortTransport{});
    caf::anon_send(reader_, AbortTransport{});
  }
  ExpectAllClosed();
}

TEST_F(StreamDescriptorsTest, WritesWithoutAnyAsEver) {
  OpenWriter();
  EXPECT_EQ(Pass("plain", {}), "");
  EXPECT_EQ(ReadFully(theirs_, 5), "plain");
}

// -- refusals -----------------------------------------------------------------

TEST_F(StreamDescriptorsTest, RefusesWhatAStreamCannotCarry) {
  OpenWriter();
  std::vector<FdTicket> tickets = Tickets(2);
  EXPECT_THAT(Pass("", tickets), HasSubstr("need a byte to ride on"));
  EXPECT_THAT(Pass("x", {tickets[0], FdTicket(), tickets[1]}),
              HasSubstr("descriptor 2 of 3"));
  EXPECT_THAT(Pass("x", std::vector<FdTicket>(254, tickets[0])),
              HasSubstr("at most 253"));
  EXPECT_GE(tickets[0].number(), 0);
  EXPECT_GE(tickets[1].number(), 0);
  EXPECT_EQ(Pass("x", tickets), "");
}

TEST_F(StreamDescriptorsTest, RefusesThemBeforeThereIsAConnection) {
  writer_ = SpawnStreamTransport(host(), io());
  FdTicket ticket = Ticket();
  EXPECT_THAT(Pass("x", {ticket}), HasSubstr("when there is a connection"));
  EXPECT_GE(ticket.number(), 0);
}

TEST_F(StreamDescriptorsTest, RefusesThemAfterTheEnd) {
  OpenWriter();
  caf::anon_send(writer_, WriteEof{});
  FdTicket ticket = Ticket();
  EXPECT_EQ(Pass("x", {ticket}), "Cannot call write() after write_eof()");
  EXPECT_GE(ticket.number(), 0);
}

// To another host.
TEST_F(StreamDescriptorsTest, RefusesThemOverAnythingButAUnixSocket) {
  OwnedFd listener(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  auto* name = reinterpret_cast<sockaddr*>(&address);
  ASSERT_EQ(bind(listener.get(), name, size), 0);
  ASSERT_EQ(listen(listener.get(), 1), 0);
  ASSERT_EQ(getsockname(listener.get(), name, &size), 0);
  ours_ = OwnedFd(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  ASSERT_EQ(connect(ours_.get(), name, size), 0);
  theirs_ = OwnedFd(accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC));

  const std::string text =
      absl::StrCat("descriptors go over UNIX sockets only, fd ", ours_.get(),
                   " is an IPv4 socket");
  OpenWriter();
  FdTicket ticket = Ticket();
  EXPECT_EQ(Pass("x", {ticket}), text);
  EXPECT_GE(ticket.number(), 0);
  Say("bytes go on");
  EXPECT_EQ(ReadFully(theirs_, 11), "bytes go on");

  DescriptorReceiver receiver = system_->spawn<caf::hidden>(
      [](DescriptorReceiver::pointer) -> DescriptorReceiver::behavior_type {
        return {[](const DescriptorsReceived&) {}};
      });
  EXPECT_THAT(ConnectReader(std::move(theirs_), receiver, NewStreamProtocol()),
              HasSubstr("UNIX sockets only"));
}

// -- ends ---------------------------------------------------------------------

TEST_F(StreamDescriptorsTest, ClosesWhatNobodyReceives) {
  OpenWriter();
  reader_ = SpawnStreamTransport(host(), io());
  ASSERT_EQ(Connect(reader_, std::move(theirs_), NewStreamProtocol()), "");
  EXPECT_EQ(Pass("ignored", Tickets(3)), "");
  ASSERT_TRUE(trace_->WaitFor("DR(7)"));
  ExpectAllClosed();
}

TEST_F(StreamDescriptorsTest, ClosesThemWithTheMessageThatNobodyTookThemFrom) {
  OpenWriter();
  OpenReader([](DescriptorsReceived&) {});
  EXPECT_EQ(Pass("x", Tickets(3)), "");
  ASSERT_TRUE(read_->WaitFor("DR x"));
  ExpectAllClosed();
}

TEST_F(StreamDescriptorsTest, GoesOnWhenTheReceiverHasEnded) {
  OpenWriter();
  DescriptorReceiver receiver = system_->spawn<caf::hidden>(
      [](DescriptorReceiver::pointer) -> DescriptorReceiver::behavior_type {
        return {[](const DescriptorsReceived&) {}};
      });
  ASSERT_EQ(ConnectReader(std::move(theirs_), receiver, NewStreamProtocol()),
            "");
  caf::anon_send_exit(receiver, caf::exit_reason::kill);
  for (int i = 1; i <= 100; ++i) {  // more than the window
    EXPECT_EQ(Pass("x", Tickets(1)), "");
    ASSERT_TRUE(trace_->WaitFor("DR(1)", i));
  }
  ExpectAllClosed();
}

TEST_F(StreamDescriptorsTest, ClosesThemInTheMailboxOfAReceiverThatIsKilled) {
  auto go_on = std::make_shared<std::promise<void>>();
  auto wait = go_on->get_future().share();
  auto busy = std::make_shared<std::promise<void>>();
  DescriptorReceiver receiver = system_->spawn<caf::hidden>(
      [=](DescriptorReceiver::pointer) -> DescriptorReceiver::behavior_type {
        return {[=](const DescriptorsReceived& received) {
          if (received.position > 0) return;
          busy->set_value();
          wait.wait();
        }};
      });
  OpenWriter();
  // On the I/O thread: the receiver may have the only worker.
  StreamProtocol protocol = NewResidentStreamProtocol();
  ASSERT_EQ(ConnectReader(std::move(theirs_), receiver, protocol), "");
  EXPECT_EQ(Pass("x", Tickets(2)), "");
  busy->get_future().wait();
  EXPECT_EQ(Pass("x", Tickets(2)), "");
  ASSERT_TRUE(trace_->WaitFor("DR(1)", 2));
  caf::anon_send_exit(receiver, caf::exit_reason::kill);
  go_on->set_value();
  ExpectAllClosed();
}

TEST_F(StreamDescriptorsTest, ClosesWhatIsQueuedWhenItIsAborted) {
  Fill(ours_);
  OpenWriter();
  caf::anon_send(writer_, WriteDescriptors{Bytes("queued"), Tickets(3)});
  EXPECT_GT(Info(writer_).writing.buffered, 3 * kDescriptorCost);
  caf::anon_send(writer_, AbortTransport{});
  ASSERT_TRUE(trace_->WaitFor("CL(None) lost 6"));
  ExpectAllClosed();
}

TEST_F(StreamDescriptorsTest, SaysThatSomeWereLostAndGoesOn) {
  OpenReader();
  const std::vector<int> ten(10, pipe_.second.get());
  {
    FullDescriptorTable table(4);
    PassPlainly(ours_, "x", ten);
    ASSERT_TRUE(read_->WaitFor("DR x"));
    PassPlainly(ours_, "y", ten);
    ASSERT_TRUE(read_->WaitFor("DR y"));
  }
  PassPlainly(ours_, "z", ten);
  ASSERT_TRUE(read_->WaitFor("DR z"));
  EXPECT_THAT(read_->events(),
              ElementsAre("CM", "FD(4)@0 lost", "DR x", "FD(0)@1 lost", "DR y",
                          "FD(10)@2", "DR z"));
  ExpectAllClosed();
}

TEST_F(StreamDescriptorsTest, PausesAWriterByWhatItHoldsOpen) {
  Fill(ours_);
  OpenWriter();
  caf::anon_send(writer_, WriteDescriptors{Bytes("x"), Tickets(16)});
  ASSERT_TRUE(trace_->WaitFor("PAUSE"));
  EXPECT_TRUE(Info(writer_).writing.paused);
}

}  // namespace
}  // namespace troupe
