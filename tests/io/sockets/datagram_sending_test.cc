// Datagrams to receivers that are slow, full or gone.
#include <unistd.h>

#include <future>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "caf/send.hpp"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "io/sockets/bound_socket.h"
#include "io/sockets/socket_address.h"
#include "io/sockets/socket_type.h"
#include "tests/io/sockets/datagram_fixture.h"
#include "tests/support/descriptors.h"

namespace troupe {
namespace {

using ::testing::HasSubstr;

class DatagramSendingTest : public DatagramFixture {};

TEST_F(DatagramSendingTest, SendsInOrderToAReceiverThatIsSlow) {
  Open();
  BoundSocket peer = Peer();
  for (int i = 0; i < 100; ++i) {  // many times what its queue holds
    Send(absl::StrCat(i), peer.address);
  }
  for (int i = 0; i < 100; ++i) EXPECT_EQ(Receive(peer), absl::StrCat(i));
}

// The answer comes when the kernel has it.
TEST_F(DatagramSendingTest, AnswersWhenAReceiverHasRoomAgain) {
  Open();
  BoundSocket full = Peer();
  const int before = Fill(full);
  std::vector<std::future<std::string>> waiting;
  for (int i = 0; i < 3; ++i) waiting.push_back(Ask("late", full.address));
  while (Info(transport_).writing.buffered < 12) {
  }
  for (int i = 0; i < before; ++i) EXPECT_EQ(Receive(full), "x");
  for (auto& text : waiting) EXPECT_EQ(text.get(), "");
  for (int i = 0; i < 3; ++i) EXPECT_EQ(Receive(full), "late");
  EXPECT_EQ(Info(transport_).writing.buffered, 0u);
}

// asyncio's datagrams all wait behind it.
TEST_F(DatagramSendingTest, AFullReceiverHoldsUpNobodyElse) {
  Open();
  BoundSocket full = Peer();
  BoundSocket free = Peer();
  Fill(full);
  Send("waits", full.address);
  for (int i = 0; i < 20; ++i) {
    EXPECT_EQ(Ask(absl::StrCat(i), free.address).get(), "");
    EXPECT_EQ(Receive(free), absl::StrCat(i));
  }
  EXPECT_EQ(Info(transport_).writing.buffered, 5u);
}

// asyncio's queue grows without end.
TEST_F(DatagramSendingTest, RefusesMoreThanMayWait) {
  Open(nullptr, {.most_waiting = 3000});
  BoundSocket full = Peer();
  Fill(full);
  const std::string text(1000, 'x');
  Send(text, full.address);
  Send(text, full.address);
  Send(text, full.address);
  ASSERT_TRUE(trace_->WaitForPrefix("FAILED sendto "));
  EXPECT_THAT(Ask(text, full.address).get(),
              HasSubstr("2000 bytes wait for their receivers"));
  BoundSocket free = Peer();  // what need not wait is not refused
  EXPECT_EQ(Ask(text, free.address).get(), "");
  caf::anon_send(transport_, AbortTransport{});
  ASSERT_TRUE(trace_->WaitFor("CL(None) lost 2000 refused 2"));
}

TEST_F(DatagramSendingTest, PausesItsWriterAndResumes) {
  Open();
  BoundSocket full = Peer();
  const int before = Fill(full);
  Send(std::string(100000, 'x'), full.address);
  ASSERT_TRUE(trace_->WaitFor("PAUSE"));
  for (int i = 0; i < before; ++i) Receive(full);
  EXPECT_EQ(Receive(full).size(), 100000u);
  ASSERT_TRUE(trace_->WaitFor("RESUME"));
}

// asyncio's error_received: each fails alone.
TEST_F(DatagramSendingTest, TellsErrorsByTheDatagramAndGoesOn) {
  Open();
  const SocketAddress nowhere = *SocketAddress::Unix(folder_.PathOf("nowhere"));
  SocketAddress gone;
  {
    auto socket = BindSocket({.path = folder_.PathOf("gone"),
                              .type = SocketType::kDatagram,
                              .unlink = UnlinkPolicy::kKeep});
    ASSERT_TRUE(socket.ok()) << socket.status();
    gone = socket->address;
  }
  BoundSocket peer = Peer();
  EXPECT_THAT(Ask("x", nowhere).get(), HasSubstr("No such file"));
  EXPECT_THAT(Ask("x", gone).get(), HasSubstr("Connection refused"));
  EXPECT_THAT(Ask(std::string(8 << 20, 'x'), peer.address).get(),
              HasSubstr("Message too long"));
  EXPECT_THAT(Ask("x", SocketAddress()).get(), HasSubstr("sendto"));
  Send("x", gone);
  ASSERT_TRUE(trace_->WaitForPrefix("FAILED sendto "));
  EXPECT_EQ(Ask("fine", peer.address).get(), "");
  EXPECT_EQ(Receive(peer), "fine");
  SendTo(peer, "back");
  ASSERT_TRUE(trace_->WaitFor("GOT back"));
  unlink(folder_.PathOf("gone").c_str());
}

// One that waits for room can still fail, alone.
TEST_F(DatagramSendingTest, TellsThatAReceiverWentWhileItsDatagramsWaited) {
  Open();
  BoundSocket full = Peer();
  Fill(full);
  auto waiting = Ask("late", full.address);
  while (Info(transport_).writing.buffered == 0) {
  }
  full = Peer();  // the old one is closed
  EXPECT_THAT(waiting.get(), HasSubstr("Connection refused"));
  EXPECT_EQ(Ask("x", full.address).get(), "");
}

TEST_F(DatagramSendingTest, SendsWhatWaitsBeforeItCloses) {
  Open();
  BoundSocket full = Peer();
  const int before = Fill(full);
  auto waiting = Ask("late", full.address);
  while (Info(transport_).writing.buffered == 0) {
  }
  caf::anon_send(transport_, CloseTransport{});
  EXPECT_THAT(Ask("x", full.address).get(), HasSubstr("is closing"));
  for (int i = 0; i < before; ++i) Receive(full);
  EXPECT_EQ(Receive(full), "late");
  EXPECT_EQ(waiting.get(), "");
  ASSERT_TRUE(trace_->WaitFor("CL(None) refused 1"));
}

}  // namespace
}  // namespace troupe
