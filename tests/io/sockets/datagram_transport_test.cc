// Datagrams among many: a socket that is bound and has no peer.
#include "io/sockets/datagram_transport.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstddef>
#include <future>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "caf/exit_reason.hpp"
#include "caf/send.hpp"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "io/credit.h"
#include "io/owned_fd.h"
#include "io/sockets/bound_socket.h"
#include "io/sockets/datagram_messages.h"
#include "io/sockets/socket_type.h"
#include "tests/io/sockets/datagram_fixture.h"
#include "tests/support/descriptors.h"

namespace troupe {
namespace {

using ::testing::ElementsAre;
using ::testing::StartsWith;

class DatagramTransportTest : public DatagramFixture {};

TEST_F(DatagramTransportTest, ReceivesFromManyAndAnswersEach) {
  Open([this](DatagramReceived& got) {
    Send(absl::StrCat("to you: ", got.bytes.view()), got.from);
  });
  std::vector<BoundSocket> peers;
  for (int i = 0; i < 5; ++i) peers.push_back(Peer());
  for (int round = 0; round < 3; ++round) {
    for (size_t i = 0; i < peers.size(); ++i) {
      SendTo(peers[i], absl::StrCat(round, ".", i));
    }
    for (size_t i = 0; i < peers.size(); ++i) {
      EXPECT_EQ(Receive(peers[i]), absl::StrCat("to you: ", round, ".", i));
    }
  }
}

// Of one that has not bound there is no address to answer to.
TEST_F(DatagramTransportTest, ReceivesFromNobodyInParticular) {
  std::promise<std::string> from;
  Open([&](DatagramReceived& got) { from.set_value(got.from.path()); });
  auto fd = OpenSocket(AF_UNIX, SocketType::kDatagram);
  ASSERT_TRUE(fd.ok());
  SendTo(BoundSocket{*std::move(fd), {}, {}}, "hello");
  EXPECT_EQ(from.get_future().get(), "");
}

TEST_F(DatagramTransportTest, KeepsTheBoundariesOfDatagramsOfAnySize) {
  std::mutex mutex;
  std::string all;
  Open([&](DatagramReceived& got) {
    std::lock_guard<std::mutex> lock(mutex);
    all += got.bytes.ToString();
  });
  BoundSocket peer = Peer();
  std::string sent;
  for (size_t size : {1, 0, 70000, 5, 150000, 65536}) {
    const std::string text(size, 'a' + size % 7);
    sent += text;
    SendTo(peer, text);
    ASSERT_TRUE(trace_->WaitFor(size == 0 ? std::string("GOT ")
                                : size <= 16
                                    ? absl::StrCat("GOT ", text)
                                    : absl::StrCat("GOT(", size, ")")));
  }
  std::lock_guard<std::mutex> lock(mutex);
  EXPECT_TRUE(all == sent);
}

TEST_F(DatagramTransportTest, StopsReceivingWhenNobodyLetsGo) {
  std::mutex mutex;
  std::vector<Credit> kept;
  bool keep = true;
  Open(
      [&](DatagramReceived& got) {
        std::lock_guard<std::mutex> lock(mutex);
        if (keep) kept.push_back(std::move(got.credit));
      },
      {.window = 10000});
  BoundSocket peer = Peer();
  int sent = 0;
  for (int idle = 0; idle < 20; ++idle) {
    while (sendto(peer.fd.get(), "x", 1, MSG_DONTWAIT, address_.data(),
                  address_.size()) == 1) {
      ++sent;
      idle = 0;
    }
    WaitForIteration(*io_);
  }
  EXPECT_LT(trace_->Count("GOT x"), 10000 / 512u + 2);
  {
    std::lock_guard<std::mutex> lock(mutex);
    keep = false;
    kept.clear();
  }
  ASSERT_TRUE(trace_->WaitFor("GOT x", sent));
}

TEST_F(DatagramTransportTest, ReceivesNothingWhilePaused) {
  Open();
  caf::anon_send(transport_, PauseReading{});
  EXPECT_TRUE(Info(transport_).reading.paused);
  BoundSocket peer = Peer();
  SendTo(peer, "later");
  WaitForIteration(*io_);
  EXPECT_THAT(trace_->events(), ElementsAre("CM"));
  caf::anon_send(transport_, ResumeReading{});
  ASSERT_TRUE(trace_->WaitFor("GOT later"));
}

// Row R18.
TEST_F(DatagramTransportTest, SaysHowItStands) {
  Open();
  const TransportInfo info = Info(transport_);
  EXPECT_EQ(ToString(info),
            absl::StrCat("<DatagramTransport fd=", info.fd,
                         " read=polling write=<idle, bufsize=0>>"));
}

// Rows V47, A20, as of a server.
TEST_F(DatagramTransportTest, RemovesItsFileAndNoOther) {
  Open();
  EXPECT_TRUE(FileIsThere());
  caf::anon_send(transport_, CloseTransport{});
  ASSERT_TRUE(trace_->WaitFor("CL(None)"));
  EXPECT_FALSE(FileIsThere());
  Open();
  ASSERT_EQ(unlink(path_.c_str()), 0);
  OwnedFd file(open(path_.c_str(), O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
  caf::anon_send_exit(transport_, caf::exit_reason::kill);
  ASSERT_TRUE(trace_->WaitFor("CL(the transport was ended)"));
  EXPECT_TRUE(FileIsThere());
}

// Row U3: the file of a socket that is gone is replaced, no other is.
TEST_F(DatagramTransportTest, IsBoundOnlyWhereNobodyIs) {
  ASSERT_TRUE(BindSocket({.path = path_,
                          .type = SocketType::kDatagram,
                          .unlink = UnlinkPolicy::kKeep})
                  .ok());
  Open();
  auto second = BindSocket({.path = path_, .type = SocketType::kDatagram});
  EXPECT_EQ(second.status().message(),
            absl::StrCat("Address '", path_, "' is already in use"));
}

TEST_F(DatagramTransportTest, EndsWithItsProtocol) {
  Open();
  caf::anon_send_exit(protocol_, caf::exit_reason::kill);
  ASSERT_TRUE(trace_->WaitForPrefix("LOST("));
  while (FileIsThere()) WaitForIteration(*io_);
}

TEST_F(DatagramTransportTest, RefusesASocketOfAnotherType) {
  protocol_ = NewDatagramProtocol();
  auto [ours, theirs] = MakeSocketPair();
  EXPECT_THAT(Begin(SpawnDatagramTransport(
                  host(), io(), BoundSocket{std::move(ours), {}, {}})),
              StartsWith("A UNIX Domain Datagram Socket was expected"));
}

}  // namespace
}  // namespace troupe
