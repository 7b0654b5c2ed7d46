// Accepting all connections of a listening socket (rows V41, V42).
#include "actors/acceptor.h"

#include <fcntl.h>
#include <sys/socket.h>

#include <cerrno>
#include <memory>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "io/virtual_clock.h"
#include "tests/support/accept_errors.h"
#include "tests/support/descriptors.h"
#include "tests/support/loop_fixture.h"
#include "tests/support/unix_sockets.h"

namespace troupe {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class AcceptorTest : public LoopFixture {
 protected:
  AcceptorTest() : address_(FreshAddress()), listener_(ListenAt(address_)) {
    loop_ = NewLoop(&clock_);
    acceptor_ = std::make_unique<Acceptor>(*loop_);
  }
  ~AcceptorTest() override { acceptor_.reset(); }

  void Start(int batch) {
    absl::Status started = acceptor_->Start(
        listener_.get(), batch, [this](AcceptedSocket connection) {
          accepted_.push_back(std::move(connection));
        });
    ASSERT_TRUE(started.ok()) << started;
  }
  void ConnectClients(int n) {
    for (int i = 0; i < n; ++i) {
      clients_.push_back(NonBlockingSocket(AF_UNIX));
      ASSERT_EQ(
          connect(clients_.back().get(), address_.data(), address_.size()), 0);
    }
  }
  void RunUntilAccepted(size_t n) {
    RunUntil([&] { return accepted_.size() >= n; });
  }

  VirtualClock clock_;
  SocketAddress address_;
  OwnedFd listener_;
  std::vector<OwnedFd> clients_;
  std::vector<AcceptedSocket> accepted_;
  std::unique_ptr<Acceptor> acceptor_;
};

// Row FD12: accept(2) of a blocking one would hold up the loop.
TEST_F(AcceptorTest, RefusesABlockingSocket) {
  fcntl(listener_.get(), F_SETFL, 0);
  absl::Status started =
      acceptor_->Start(listener_.get(), 100, [](AcceptedSocket) {});
  EXPECT_EQ(started.message(), "the socket must be non-blocking");
  EXPECT_EQ(loop_->Metrics().descriptors, 0u);
}

// Row V42: once the bound was one for each event.
TEST_F(AcceptorTest, AcceptsAtMostABatchForEachEvent) {
  ConnectClients(5);
  Start(2);
  std::vector<size_t> counts;
  while (accepted_.size() < 5) {
    ASSERT_TRUE(loop_->RunOnce(/*may_sleep=*/true).ok());
    if (counts.empty() ? !accepted_.empty()
                       : counts.back() != accepted_.size()) {
      counts.push_back(accepted_.size());
    }
  }
  EXPECT_THAT(counts, ElementsAre(2, 4, 5));
  EXPECT_TRUE(IsNonBlocking(accepted_[0].fd));
}

TEST_F(AcceptorTest, GoesOnWithThoseThatComeLater) {
  Start(10);
  ConnectClients(1);
  RunUntilAccepted(1);
  ConnectClients(2);
  RunUntilAccepted(3);
  EXPECT_THAT(log_, IsEmpty());
}

// Row V41: asyncio went on with its batch, and reported each.
TEST_F(AcceptorTest, ReportsOnceThatDescriptorsRanOutAndGoesOnAfterASecond) {
  for (int error : {EMFILE, ENFILE, ENOBUFS, ENOMEM}) {
    log_.clear();
    accepted_.clear();
    const absl::Duration began = loop_->Time();
    AcceptErrors errors({error});
    ConnectClients(3);
    Start(10);
    RunUntilAccepted(3);
    EXPECT_EQ(loop_->Time() - began, absl::Seconds(1));
    EXPECT_THAT(
        log_, ElementsAre(HasSubstr("socket.accept() out of system resource")));
  }
}

// A batch that has accepted some of them keeps those.
TEST_F(AcceptorTest, TellsThoseBeforeTheError) {
  ConnectClients(3);
  AcceptErrors errors({0, EMFILE});
  Start(10);
  RunUntilAccepted(1);
  EXPECT_EQ(loop_->Time(), absl::ZeroDuration());
  RunUntilAccepted(3);
  EXPECT_EQ(loop_->Time(), absl::Seconds(1));
}

// asyncio's would fail in each iteration.
TEST_F(AcceptorTest, PausesAfterAnyOtherErrorToo) {
  AcceptErrors errors({EPROTO, EPROTO});
  ConnectClients(1);
  Start(10);
  RunUntilAccepted(1);
  EXPECT_EQ(loop_->Time(), absl::Seconds(2));
  EXPECT_THAT(log_, ElementsAre(HasSubstr("accept: Protocol error"),
                                HasSubstr("socket.accept() failed")));
}

// Row V41.
TEST_F(AcceptorTest, PassesOverAConnectionThatWasGivenUp) {
  AcceptErrors errors({ECONNABORTED});
  ConnectClients(1);
  Start(10);
  RunUntilAccepted(1);
  EXPECT_EQ(loop_->Time(), absl::ZeroDuration());
  EXPECT_THAT(log_, IsEmpty());
}

TEST_F(AcceptorTest, StopsAlsoInItsPause) {
  AcceptErrors errors({EMFILE});
  ConnectClients(1);
  Start(10);
  RunUntil([&] { return !log_.empty(); });
  EXPECT_EQ(loop_->Metrics().descriptors, 0);
  EXPECT_EQ(loop_->Metrics().timers, 1);
  acceptor_->Stop();
  EXPECT_EQ(loop_->Metrics().timers, 0);
  Start(10);
  RunUntilAccepted(1);
  acceptor_->Stop();
  EXPECT_EQ(loop_->Metrics().descriptors, 0);
}

TEST_F(AcceptorTest, ClosesWhatItHasNotTold) {
  ConnectClients(1);
  Start(10);
  while (loop_->Metrics().ready == 0) {
    ASSERT_TRUE(loop_->RunOnce(/*may_sleep=*/true).ok());
  }
  acceptor_->Stop();
  ASSERT_TRUE(loop_->RunOnce().ok());
  EXPECT_THAT(accepted_, IsEmpty());
  WaitForHangUp(clients_[0]);
}

TEST_F(AcceptorTest, RefusesWhatCannotBeWatched) {
  EXPECT_EQ(acceptor_->Start(-1, 1, nullptr).message(),
            "Invalid file descriptor: -1");
}

// Row V42; of none it would be called for ever and accept nothing.
TEST_F(AcceptorTest, AcceptsOneAtLeastForEachEvent) {
  Start(/*batch=*/0);
  ConnectClients(1);
  ASSERT_TRUE(loop_->RunOnce().ok());
  ASSERT_TRUE(loop_->RunOnce().ok());
  EXPECT_EQ(accepted_.size(), 1u);
}

}  // namespace
}  // namespace troupe
