// Operations on sockets over a loop (rows FD8 to FD14).
#include "actors/sock_operations.h"

#include <fcntl.h>
#include <unistd.h>

#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "io/watch_table.h"
#include "tests/support/descriptors.h"
#include "tests/support/loop_fixture.h"

namespace troupe {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class Transport final : public ReadinessSink {
 public:
  void OnReady(WatchId, Side, Readiness) override {}
  void OnEnded(WatchId, absl::Status) override {}
  std::string Describe() const override { return "<a transport>"; }
};

class SockOperationsTest : public LoopFixture {
 protected:
  SockOperationsTest()
      : ends_(MakeSocketPair()),
        socks_(std::make_unique<SockOperations>(*loop_)) {
    SetNonBlocking(ends_.first);
    SetNonBlocking(ends_.second);
  }
  ~SockOperationsTest() override { socks_.reset(); }

  int fd() const { return ends_.first.get(); }

  // Writes down what came.
  std::function<void(absl::StatusOr<Bytes>)> Received(std::string name) {
    return [this, name](absl::StatusOr<Bytes> got) {
      told_.push_back(absl::StrCat(
          name, " ", got.ok() ? got->ToString() : TextOf(got.status())));
    };
  }
  std::function<void(absl::Status)> Sent(std::string name) {
    return [this, name](absl::Status status) {
      told_.push_back(absl::StrCat(name, " ", TextOf(status)));
    };
  }
  static std::string TextOf(const absl::Status& status) {
    return status.ok() ? "ok" : std::string(status.message());
  }
  void RunUntilTold(size_t n) {
    RunUntil([&] { return told_.size() >= n; });
  }
  // Iterations in which whatever is ready happens.
  void RunWhatIsReady() {
    for (int i = 0; i < 5; ++i) ASSERT_TRUE(loop_->RunOnce().ok());
  }

  Ends ends_;
  std::unique_ptr<SockOperations> socks_;
};

// Row FD8; and done is never called from inside (row L23).
TEST_F(SockOperationsTest, ReceivesAtOnceWhatIsThereAndTellsItLater) {
  WriteFully(ends_.second, "hello");
  socks_->Recv(fd(), 3, Received("got"));
  EXPECT_THAT(told_, IsEmpty());
  EXPECT_EQ(ReadFully(ends_.first, 2), "lo");  // the rest only
  RunUntilTold(1);
  EXPECT_THAT(told_, ElementsAre("got hel"));
  EXPECT_EQ(loop_->Metrics().descriptors, 0);  // never watched
}

// Row FD8.
TEST_F(SockOperationsTest, WaitsForWhatComesLater) {
  socks_->Recv(fd(), 100, Received("got"));
  RunWhatIsReady();
  EXPECT_THAT(told_, IsEmpty());
  EXPECT_EQ(loop_->Metrics().descriptors, 1);
  WriteFully(ends_.second, "later");
  RunUntilTold(1);
  EXPECT_THAT(told_, ElementsAre("got later"));
  EXPECT_EQ(loop_->Metrics().descriptors, 0);
}

// Row FD8.
TEST_F(SockOperationsTest, ReceivesNothingAtTheEnd) {
  socks_->Recv(fd(), 100, Received("got"));
  ends_.second.Close();
  RunUntilTold(1);
  EXPECT_THAT(told_, ElementsAre("got "));
}

// Row FD8.
TEST_F(SockOperationsTest, TellsTheKernelsErrorOfAReceive) {
  WriteFully(ends_.first, "unread");
  ends_.second.Close();  // with unread data: a reset
  socks_->Recv(fd(), 100, Received("got"));
  RunUntilTold(1);
  EXPECT_THAT(told_, ElementsAre("got recv: Connection reset by peer"));
}

// Row FD8.
TEST_F(SockOperationsTest, ReceivesIntoTheCallersMemory) {
  char room[4] = {'-', '-', '-', '-'};
  std::vector<size_t> sizes;
  auto done = [&](absl::StatusOr<size_t> got) { sizes.push_back(*got); };
  socks_->RecvInto(fd(), absl::MakeSpan(room), done);
  WriteFully(ends_.second, "ab");
  RunUntil([&] { return sizes.size() == 1; });
  EXPECT_EQ(std::string(room, 4), "ab--");
  ends_.second.Close();
  socks_->RecvInto(fd(), absl::MakeSpan(room), done);
  RunUntil([&] { return sizes.size() == 2; });
  EXPECT_THAT(sizes, ElementsAre(2, 0));
}

// Row FD9.
TEST_F(SockOperationsTest, SendsAllWhileThePeerReads) {
  const std::string all(3 << 20, 'x');
  socks_->SendAll(fd(), Bytes(all), Sent("sent"));
  RunWhatIsReady();
  EXPECT_THAT(told_, IsEmpty());  // the peer has not read
  std::thread reader([&] {
    fcntl(ends_.second.get(), F_SETFL, 0);
    EXPECT_EQ(ReadFully(ends_.second, all.size()).size(), all.size());
  });
  RunUntilTold(1);
  reader.join();
  EXPECT_THAT(told_, ElementsAre("sent ok"));
  EXPECT_EQ(loop_->Metrics().descriptors, 0);
}

// Row FD9.
TEST_F(SockOperationsTest, TellsTheKernelsErrorOfASend) {
  ends_.second.Close();
  socks_->SendAll(fd(), Bytes("x"), Sent("sent"));
  socks_->SendAll(fd(), Bytes("x"), nullptr);  // nobody wants to know
  RunUntilTold(1);
  EXPECT_THAT(told_, ElementsAre("sent send: Broken pipe"));
}

// Row FD12; asyncio looks in debug mode only.
TEST_F(SockOperationsTest, RefusesABlockingSocketWithAsynciosText) {
  Ends blocking = MakeSocketPair();
  WriteFully(blocking.second, "x");
  EXPECT_TRUE(
      socks_->Recv(blocking.first.get(), 1, Received("got")).status().ok());
  EXPECT_THAT(told_, IsEmpty());
  RunUntilTold(1);
  EXPECT_THAT(told_, ElementsAre("got the socket must be non-blocking"));
}

// Rows FD2, FD12.
TEST_F(SockOperationsTest, RefusesWhatIsNoSocket) {
  Ends pipe = MakePipe();
  SetNonBlocking(pipe.first);
  socks_->Recv(-1, 1, Received("none"));
  socks_->Recv(pipe.first.get(), 1, Received("pipe"));
  const int closed = fcntl(pipe.second.get(), F_DUPFD_CLOEXEC, 900);
  close(closed);
  socks_->Recv(closed, 1, Received("closed"));
  RunUntilTold(3);
  EXPECT_THAT(told_, ElementsAre("none Invalid file descriptor: -1",
                                 "pipe recv: Socket operation on non-socket",
                                 "closed fcntl: Bad file descriptor"));
}

// Row FD3.
TEST_F(SockOperationsTest, RefusesADescriptorOfATransport) {
  WriteFully(ends_.second, "the transport's");
  const int number = fd();
  auto watch = loop_->host().watches().Add(ends_.first, nullptr, nullptr);
  ASSERT_TRUE(watch.ok());
  ASSERT_TRUE(loop_->host().watches().SetSink(*watch, Side::kRead,
                                              std::make_unique<Transport>()));
  socks_->Recv(number, 100, Received("got"));
  RunUntilTold(1);
  EXPECT_THAT(told_,
              ElementsAre(absl::StrCat("got File descriptor ", number,
                                       " is used by transport <a transport>")));
  loop_->host().watches().End(*watch);
}

// Rows L2, L21.
TEST_F(SockOperationsTest, RefusesAClosedLoopAndAnotherThread) {
  absl::Status elsewhere;
  loop_->CallSoon([&] {
    std::thread([&] {
      elsewhere = socks_->Recv(fd(), 1, Received("got")).status();
    }).join();
    loop_->Stop();
  });
  Run();
  EXPECT_THAT(elsewhere.ToString(), HasSubstr("Non-thread-safe operation"));
  ASSERT_TRUE(loop_->Close().ok());
  EXPECT_EQ(socks_->Recv(fd(), 1, Received("got")).status(),
            absl::FailedPreconditionError("Event loop is closed"));
  EXPECT_THAT(told_, IsEmpty());
}

// Row FD14: asyncio forgets the first one.
TEST_F(SockOperationsTest, QueuesASecondReceiveBehindTheFirst) {
  socks_->Recv(fd(), 1, Received("first"));
  socks_->Recv(fd(), 1, Received("second"));
  socks_->SendAll(fd(), Bytes("out"), Sent("sent"));  // the other side
  RunWhatIsReady();
  EXPECT_THAT(told_, ElementsAre("sent ok"));
  WriteFully(ends_.second, "ab");
  RunUntilTold(3);
  EXPECT_THAT(told_, ElementsAre("sent ok", "first a", "second b"));
}

// Row FD14: bytes of one send are not mixed with those of the next.
TEST_F(SockOperationsTest, SendsInTheOrderItWasAsked) {
  const std::string a(1 << 20, 'a');
  socks_->SendAll(fd(), Bytes(a), Sent("a"));
  socks_->SendAll(fd(), Bytes("b"), Sent("b"));
  std::string all;
  std::thread reader([&] {
    fcntl(ends_.second.get(), F_SETFL, 0);
    all = ReadFully(ends_.second, a.size() + 1);
  });
  RunUntilTold(2);
  reader.join();
  EXPECT_EQ(all, a + "b");
  EXPECT_THAT(told_, ElementsAre("a ok", "b ok"));
}

// Row FD13.
TEST_F(SockOperationsTest, StopsWatchingWhenItIsCancelled) {
  SockHandle handle = socks_->Recv(fd(), 1, Received("cancelled"));
  EXPECT_TRUE(handle.waiting());
  EXPECT_EQ(loop_->Metrics().descriptors, 1);
  EXPECT_TRUE(handle.Cancel());
  EXPECT_EQ(loop_->Metrics().descriptors, 0);
  EXPECT_FALSE(handle.waiting());
  EXPECT_FALSE(handle.Cancel());
  WriteFully(ends_.second, "x");
  RunWhatIsReady();
  EXPECT_THAT(told_, IsEmpty());
  EXPECT_EQ(ReadFully(ends_.first, 1), "x");
}

// Row FD13: uvloop lost the second one's registration.
TEST_F(SockOperationsTest, ServesTheNextReceiveRightAfterACancel) {
  SockHandle first = socks_->Recv(fd(), 1, Received("first"));
  loop_->CallSoon([&] {
    first.Cancel();
    socks_->Recv(fd(), 1, Received("second"));
  });
  RunWhatIsReady();
  WriteFully(ends_.second, "x");
  RunUntilTold(1);
  EXPECT_THAT(told_, ElementsAre("second x"));
}

// Row FD13.
TEST_F(SockOperationsTest, LetsThoseBehindACancelledOneGoOn) {
  SockHandle first = socks_->Recv(fd(), 1, Received("first"));
  SockHandle second = socks_->Recv(fd(), 1, Received("second"));
  socks_->Recv(fd(), 1, Received("third"));
  EXPECT_TRUE(second.Cancel());
  EXPECT_TRUE(first.Cancel());
  WriteFully(ends_.second, "x");
  RunUntilTold(1);
  EXPECT_THAT(told_, ElementsAre("third x"));
}

// Row L23: what has happened cannot be cancelled, so no byte is lost.
TEST_F(SockOperationsTest, TellsWhatHappenedBeforeACancel) {
  WriteFully(ends_.second, "x");
  SockHandle handle = socks_->Recv(fd(), 1, Received("got"));
  EXPECT_FALSE(handle.Cancel());
  RunUntilTold(1);
  EXPECT_THAT(told_, ElementsAre("got x"));
}

// An operation that lost its place is told so; asyncio's waits for ever.
TEST_F(SockOperationsTest, EndsWhenAReaderTakesItsPlace) {
  socks_->Recv(fd(), 1, Received("first"));
  socks_->Recv(fd(), 1, Received("second"));
  bool readable = false;
  loop_->AddReader(fd(), [&] {
    readable = true;
    loop_->RemoveReader(fd());
  });
  WriteFully(ends_.second, "x");
  RunUntilTold(2);
  EXPECT_THAT(told_, ElementsAre(HasSubstr("first the descriptor was taken"),
                                 HasSubstr("second the descriptor was taken")));
  RunUntil([&] { return readable; });
}

TEST_F(SockOperationsTest, TellsNothingWhenItIsGone) {
  Ends other = MakeSocketPair();
  SetNonBlocking(other.first);
  WriteFully(ends_.second, "x");
  socks_->Recv(fd(), 1, Received("finished"));
  socks_->Recv(other.first.get(), 1, Received("waiting"));
  socks_.reset();
  EXPECT_EQ(loop_->Metrics().descriptors, 0);
  RunWhatIsReady();
  EXPECT_THAT(told_, IsEmpty());
}

TEST_F(SockOperationsTest, EndsAllThatWaitForADescriptor) {
  Fill(ends_.first);
  socks_->Recv(fd(), 1, Received("got"));
  socks_->SendAll(fd(), Bytes("x"), Sent("sent"));
  socks_->EndAll(fd(), absl::CancelledError("enough"));
  EXPECT_EQ(loop_->Metrics().descriptors, 0);
  RunUntilTold(2);
  EXPECT_THAT(told_, ElementsAre("got enough", "sent enough"));
}

}  // namespace
}  // namespace troupe
