#include "io/sockets/datagram_queue.h"

#include <sys/socket.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "io/bytes.h"
#include "io/credit.h"
#include "io/sockets/bound_socket.h"
#include "io/sockets/socket_address.h"
#include "io/sockets/socket_type.h"
#include "tests/support/leak_check.h"

namespace troupe {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class DatagramQueueTest : public LeakCheckedTest {
 protected:
  DatagramQueueTest() : sender_(Socket()) { queue_.Open(sender_.fd.get()); }

  static BoundSocket Socket() {
    auto socket = BindSocketAnywhere(SocketType::kDatagram);
    EXPECT_TRUE(socket.ok()) << socket.status();
    return *std::move(socket);
  }
  // What waits there, or nothing.
  static std::string Receive(const BoundSocket& at) {
    char text[100];
    ssize_t n = recv(at.fd.get(), text, sizeof text, MSG_DONTWAIT);
    return n < 0 ? "" : std::string(text, n);
  }
  // A receiver without room.
  static BoundSocket Full() {
    BoundSocket full = Socket();
    BoundSocket other = Socket();
    while (SendDatagramTo(other.fd.get(), "x", full.address).ok()) {
    }
    return full;
  }
  void Send(const std::string& text, const SocketAddress& to) {
    DatagramQueue::Datagram datagram{
        Bytes::Copy(text), to, Credit(account_, text.size()),
        [this, text](const absl::Status& sent, const SocketAddress&) {
          done_.push_back(
              absl::StrCat(text, " ", sent.ok() ? "ok" : sent.message()));
        }};
    if (!queue_.Send(datagram)) queue_.Wait(std::move(datagram));
  }

  std::shared_ptr<CreditAccount> account_ =
      std::make_shared<CreditAccount>(1000, nullptr);
  BoundSocket sender_;
  DatagramQueue queue_;
  std::vector<std::string> done_;
};

TEST_F(DatagramQueueTest, SendsAtOnceWhatHasRoom) {
  BoundSocket peer = Socket();
  Send("now", peer.address);
  EXPECT_THAT(done_, ElementsAre("now ok"));
  EXPECT_TRUE(queue_.empty());
  EXPECT_EQ(account_->in_flight(), 0u);
  EXPECT_EQ(Receive(peer), "now");
}

TEST_F(DatagramQueueTest, LetsNoneOvertakeAnotherForTheSameReceiver) {
  BoundSocket full = Full();
  Send("1", full.address);
  EXPECT_EQ(Receive(full), "x");
  Send("2", full.address);  // there is room, but not its turn
  EXPECT_EQ(queue_.bytes(), 2u);
  while (Receive(full) == "x") {
  }
  queue_.Flush();
  EXPECT_THAT(done_, ElementsAre("1 ok", "2 ok"));
  EXPECT_EQ(Receive(full), "1");
  EXPECT_EQ(Receive(full), "2");
}

TEST_F(DatagramQueueTest, HoldsUpNobodyForAReceiverWithoutRoom) {
  BoundSocket full = Full();
  BoundSocket other = Full();
  Send("a", full.address);
  Send("b", other.address);
  Send("c", full.address);
  EXPECT_EQ(Receive(other), "x");
  queue_.Flush();
  EXPECT_THAT(done_, ElementsAre("b ok"));
  EXPECT_EQ(queue_.bytes(), 2u);
  EXPECT_EQ(queue_.cost(), 2 + 2 * DatagramQueue::kCost);
  EXPECT_EQ(account_->in_flight(), 2u);
}

TEST_F(DatagramQueueTest, TellsAnErrorAndGoesOn) {
  BoundSocket full = Full();
  Send("a", full.address);
  full = Socket();
  queue_.Flush();
  Send("b", full.address);
  EXPECT_THAT(done_, ElementsAre(HasSubstr("a sendto "), "b ok"));
  EXPECT_TRUE(queue_.empty());
}

TEST_F(DatagramQueueTest, TellsWhyItDropsWhatWaits) {
  BoundSocket full = Full();
  Send("abc", full.address);
  EXPECT_EQ(queue_.Clear(absl::CancelledError("over")), 3u);
  EXPECT_THAT(done_, ElementsAre("abc over"));
  EXPECT_EQ(account_->in_flight(), 0u);
  BoundSocket peer = Socket();
  Send("late", peer.address);  // it waits for Open
  EXPECT_THAT(Receive(peer), IsEmpty());
  EXPECT_EQ(queue_.Clear(absl::CancelledError("over")), 4u);
}

}  // namespace
}  // namespace troupe
