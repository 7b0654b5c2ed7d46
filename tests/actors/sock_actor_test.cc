// Socket operations as requests to an actor (rows FD8 to FD14).
#include "actors/sock_actor.h"

#include <memory>
#include <string>
#include <utility>

#include "actors/loop_messages.h"
#include "actors/loop_thread.h"
#include "actors/sock_messages.h"
#include "caf/actor_cast.hpp"
#include "caf/event_based_actor.hpp"
#include "caf/scoped_actor.hpp"
#include "caf/send.hpp"
#include "caf/typed_event_based_actor.hpp"
#include "gtest/gtest.h"
#include "io/status_error.h"
#include "tests/support/descriptors.h"
#include "tests/support/loop_fixture.h"
#include "tests/support/unix_sockets.h"

namespace troupe {
namespace {

class SockActorTest : public LoopFixture {
 protected:
  SockActorTest() : ends_(MakeSocketPair()) {
    SetNonBlocking(ends_.first);
    auto thread = LoopThread::Start(*system_);
    EXPECT_TRUE(thread.ok()) << thread.status();
    thread_ = *std::move(thread);
    loop_actor_ = thread_->loop().actor();
    socks_ = SpawnSockActor(thread_->loop());
  }
  ~SockActorTest() override {
    socks_ = SockActor();
    loop_actor_ = LoopActor();
    thread_.reset();
  }

  template <class Answer, class Handle, class Request>
  absl::StatusOr<Answer> Ask(const Handle& actor, Request request) {
    absl::StatusOr<Answer> outcome = absl::UnknownError("not answered");
    caf::scoped_actor self(*actors_);
    self->request(actor, caf::infinite, std::move(request))
        .receive([&](const Answer& answer) { outcome = answer; },
                 [&](const caf::error& why) { outcome = StatusOf(why); });
    return outcome;
  }

  // Returns when the loop watches so many descriptors.
  void WaitForWatches(size_t n) {
    while (Ask<LoopMetrics>(loop_actor_, GetLoopMetrics{})->descriptors != n) {
    }
  }

  // An actor that asks to receive and ends with the answer's text as the
  // reason.
  caf::actor AskToReceive(int fd) {
    return actors_->spawn<caf::hidden>(
        [fd, socks = socks_](caf::event_based_actor* self) {
          self->request(socks, caf::infinite, SockRecv{fd})
              .then([=](const SockReceived&) { self->quit(); },
                    [=](const caf::error& why) { self->quit(why); });
        });
  }
  absl::Status EndOf(const caf::actor& actor) {
    absl::Status end;
    caf::scoped_actor self(*actors_);
    self->monitor(actor);
    self->receive(
        [&](const caf::down_msg& down) { end = StatusOf(down.reason); });
    return end;
  }

  int fd() const { return ends_.first.get(); }

  Ends ends_;
  std::unique_ptr<LoopThread> thread_;
  LoopActor loop_actor_;
  SockActor socks_;
};

// Rows FD8, FD9.
TEST_F(SockActorTest, AnswersWithWhatWasReceivedAndThatAllWasSent) {
  EXPECT_TRUE(Ask<SockSent>(socks_, SockSendAll{fd(), Bytes("out")}).ok());
  EXPECT_EQ(ReadFully(ends_.second, 3), "out");
  WriteFully(ends_.second, "in");
  EXPECT_EQ(Ask<SockReceived>(socks_, SockRecv{fd()})->bytes.view(), "in");
  ends_.second.Close();
  EXPECT_TRUE(Ask<SockReceived>(socks_, SockRecv{fd()})->bytes.empty());
}

// Rows FD10, FD11.
TEST_F(SockActorTest, ConnectsAndAccepts) {
  const SocketAddress address = FreshAddress();
  OwnedFd listener = ListenAt(address);
  OwnedFd client = NonBlockingSocket(AF_UNIX);
  EXPECT_TRUE(
      Ask<SockConnected>(socks_, SockConnect{client.get(), address}).ok());
  auto accepted = Ask<SockAccepted>(socks_, SockAccept{listener.get()});
  ASSERT_TRUE(accepted.ok()) << accepted.status();
  OwnedFd connection = accepted->connection.Take();
  WriteFully(client, "x");
  EXPECT_EQ(ReadFully(connection, 1), "x");
}

// Row FD12.
TEST_F(SockActorTest, AnswersWithTheError) {
  EXPECT_EQ(Ask<SockReceived>(socks_, SockRecv{ends_.second.get()}).status(),
            absl::InvalidArgumentError("the socket must be non-blocking"));
}

// Row FD13.
TEST_F(SockActorTest, CancelsWhatWaitsForADescriptor) {
  caf::actor asker = AskToReceive(fd());
  WaitForWatches(1);
  caf::anon_send(socks_, CancelSock{fd()});
  EXPECT_TRUE(absl::IsCancelled(EndOf(asker)));
  WaitForWatches(0);
}

// Row FD13: what is left of a dead asker takes no bytes.
TEST_F(SockActorTest, CancelsWhatADeadActorAskedFor) {
  caf::actor asker = AskToReceive(fd());
  WaitForWatches(1);
  caf::anon_send_exit(asker, caf::exit_reason::kill);
  WaitForWatches(0);
  WriteFully(ends_.second, "x");
  EXPECT_EQ(Ask<SockReceived>(socks_, SockRecv{fd()})->bytes.view(), "x");
}

// CAF's promises are silent when they are dropped.
TEST_F(SockActorTest, AnswersWhenTheLoopIsClosed) {
  caf::actor asker = AskToReceive(fd());
  WaitForWatches(1);
  thread_->Stop();
  EXPECT_FALSE(EndOf(asker).ok());
}

TEST_F(SockActorTest, SendsWithoutBeingAskedForAnAnswer) {
  caf::anon_send(socks_, SockSendAll{fd(), Bytes("x")});
  EXPECT_EQ(ReadFully(ends_.second, 1), "x");
}

}  // namespace
}  // namespace troupe
