// Datagrams among many: a socket that is bound and has no peer.
#include "io/sockets/datagram_transport.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <functional>
#include <future>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "caf/exit_reason.hpp"
#include "caf/scoped_actor.hpp"
#include "caf/send.hpp"
#include "caf/typed_event_based_actor.hpp"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "io/bytes.h"
#include "io/credit.h"
#include "io/owned_fd.h"
#include "io/sockets/bound_socket.h"
#include "io/sockets/socket_address.h"
#include "io/sockets/socket_type.h"
#include "io/status_error.h"
#include "tests/support/descriptors.h"
#include "tests/support/io_fixture.h"
#include "tests/support/protocol_notes.h"
#include "tests/support/scratch_folder.h"

namespace troupe {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::StartsWith;

using Script = std::function<void(DatagramReceived&)>;

DatagramProtocol::behavior_type Protocol(DatagramProtocol::pointer self,
                                         std::shared_ptr<Trace> trace,
                                         Script script) {
  EndQuietly(self);
  return {
      [=](const ConnectionMade&) { trace->Add("CM"); },
      [=](DatagramReceived& got) {
        if (script) script(got);
        const size_t size = got.bytes.size();
        trace->Add(size <= 16 ? absl::StrCat("GOT ", got.bytes.view())
                              : absl::StrCat("GOT(", size, ")"));
      },
      [=](const DatagramFailed& failed) {
        trace->Add(absl::StrCat("FAILED ", failed.why.message()));
      },
      [=](const PauseWriting&) { trace->Add("PAUSE"); },
      [=](const ResumeWriting&) { trace->Add("RESUME"); },
      [=](const ConnectionLost& lost) { trace->Add(Describe(lost)); },
  };
}

class DatagramTransportTest : public IoTest {
 protected:
  void Open(Script script = nullptr, DatagramTransportOptions options = {}) {
    auto socket = BindSocket({.path = path_, .type = SocketType::kDatagram});
    ASSERT_TRUE(socket.ok()) << socket.status();
    address_ = socket->address;
    transport_ =
        SpawnDatagramTransport(host(), io(), *std::move(socket), options);
    protocol_ = system_->spawn<caf::hidden>(Protocol, trace_, script);
    EXPECT_EQ(Begin(transport_), "");
  }
  std::string Begin(const DatagramTransport& transport) {
    caf::scoped_actor self(*system_);
    std::string text;
    self->request(transport, caf::infinite, OpenDatagram{protocol_, NewOwner()})
        .receive([](const Connected&) {},
                 [&](const caf::error& why) {
                   text = std::string(StatusOf(why).message());
                 });
    return text;
  }
  // A peer of the test's own; blocking.
  static BoundSocket Peer() {
    auto socket = BindSocketAnywhere(SocketType::kDatagram);
    EXPECT_TRUE(socket.ok()) << socket.status();
    return *std::move(socket);
  }
  void SendTo(const BoundSocket& from, const std::string& text) {
    EXPECT_EQ(sendto(from.fd.get(), text.data(), text.size(), 0,
                     address_.data(), address_.size()),
              static_cast<ssize_t>(text.size()));
  }
  static std::string Receive(const BoundSocket& at) {
    timeval patience = {20, 0};
    setsockopt(at.fd.get(), SOL_SOCKET, SO_RCVTIMEO, &patience,
               sizeof patience);
    SetBlocking(at);
    std::string text(1 << 20, '\0');
    ssize_t n = recv(at.fd.get(), text.data(), text.size(), 0);
    EXPECT_GE(n, 0);
    text.resize(n < 0 ? 0 : n);
    return text;
  }
  static void SetBlocking(const BoundSocket& at);
  void Send(const std::string& text, const SocketAddress& to) {
    caf::anon_send(transport_, SendDatagram{Bytes(text), to});
  }
  std::future<std::string> Ask(const std::string& text,
                               const SocketAddress& to) {
    return Later(transport_, SendDatagram{Bytes(text), to});
  }
  // Sends to it until its queue is full; how many that were.
  int Fill(const BoundSocket& peer) {
    BoundSocket other = Peer();
    int sent = 0;
    while (sendto(other.fd.get(), "x", 1, MSG_DONTWAIT, peer.address.data(),
                  peer.address.size()) == 1) {
      ++sent;
    }
    return sent;
  }
  bool FileIsThere() const { return access(path_.c_str(), F_OK) == 0; }

  ScratchFolder folder_;
  const std::string path_ = folder_.PathOf("socket");
  SocketAddress address_;
  DatagramTransport transport_;
  DatagramProtocol protocol_;
};

void DatagramTransportTest::SetBlocking(const BoundSocket& at) {
  const int flags = fcntl(at.fd.get(), F_GETFL);
  EXPECT_EQ(fcntl(at.fd.get(), F_SETFL, flags & ~O_NONBLOCK), 0);
}

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

TEST_F(DatagramTransportTest, SendsInOrderToAReceiverThatIsSlow) {
  Open();
  BoundSocket peer = Peer();
  for (int i = 0; i < 100; ++i) {  // many times what its queue holds
    Send(absl::StrCat(i), peer.address);
  }
  for (int i = 0; i < 100; ++i) EXPECT_EQ(Receive(peer), absl::StrCat(i));
}

// The answer comes when the kernel has it.
TEST_F(DatagramTransportTest, AnswersWhenAReceiverHasRoomAgain) {
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
TEST_F(DatagramTransportTest, AFullReceiverHoldsUpNobodyElse) {
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
TEST_F(DatagramTransportTest, RefusesMoreThanMayWait) {
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

TEST_F(DatagramTransportTest, PausesItsWriterAndResumes) {
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
TEST_F(DatagramTransportTest, TellsErrorsByTheDatagramAndGoesOn) {
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
TEST_F(DatagramTransportTest, TellsThatAReceiverWentWhileItsDatagramsWaited) {
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

TEST_F(DatagramTransportTest, SendsWhatWaitsBeforeItCloses) {
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
  protocol_ = system_->spawn<caf::hidden>(Protocol, trace_, nullptr);
  auto [ours, theirs] = MakeSocketPair();
  EXPECT_THAT(Begin(SpawnDatagramTransport(
                  host(), io(), BoundSocket{std::move(ours), {}, {}})),
              StartsWith("A UNIX Domain Datagram Socket was expected"));
}

}  // namespace
}  // namespace troupe
