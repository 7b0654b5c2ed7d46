// Sending a file through a socket (rows SF1 to SF9, SF13, V45).
#include "actors/sock_sendfile.h"

#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <memory>
#include <string>
#include <thread>
#include <utility>

#include "absl/strings/str_cat.h"
#include "actors/sock_operations.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/descriptors.h"
#include "tests/support/loop_fixture.h"
#include "tests/support/planned_sendfile.h"

namespace troupe {
namespace {

using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Le;

class SockSendfileTest : public LoopFixture {
 protected:
  SockSendfileTest()
      : ends_(MakeSocketPair()),
        file_(MakeFile("0123456789", O_RDWR)),
        socks_(std::make_unique<SockOperations>(*loop_)) {
    SetNonBlocking(ends_.first);
    PlannedSendfile::Reset();
  }
  ~SockSendfileTest() override { socks_.reset(); }

  SockHandle Start(FileRange range, int fd, int file) {
    return SockSendfile(
        socks_->queue(), fd, file, range,
        [this](absl::StatusOr<uint64_t> sent) {
          told_.push_back(sent.ok() ? absl::StrCat(*sent)
                                    : std::string(sent.status().message()));
        });
  }
  SockHandle Start(FileRange range) {
    return Start(range, ends_.first.get(), file_.get());
  }
  void RunUntilTold(size_t n = 1) {
    RunUntil([&] { return told_.size() >= n; });
  }
  // What the peer gets until we shut down.
  std::string Received() {
    shutdown(ends_.first.get(), SHUT_WR);
    return ReadFully(ends_.second, 1 << 24);
  }
  off_t PositionOf(const OwnedFd& file) {
    return lseek(file.get(), 0, SEEK_CUR);
  }

  Ends ends_;
  OwnedFd file_;
  std::unique_ptr<SockOperations> socks_;
};

// Row SF1; told later (row L23).
TEST_F(SockSendfileTest, SendsAWholeFile) {
  Start({});
  EXPECT_THAT(told_, IsEmpty());
  RunUntilTold();
  EXPECT_THAT(told_, ElementsAre("10"));
  EXPECT_EQ(Received(), "0123456789");
}

// Rows SF7, V45.
TEST_F(SockSendfileTest, SendsAPartAndLeavesThePositionBehindIt) {
  for (int error : {0, EINVAL}) {  // natively, and by copying
    lseek(file_.get(), 8, SEEK_SET);
    PlannedSendfile::Reset({error});
    told_.clear();
    Start({.offset = 3, .count = 4});
    RunUntilTold();
    EXPECT_THAT(told_, ElementsAre("4"));
    EXPECT_EQ(ReadFully(ends_.second, 4), "3456");
    EXPECT_EQ(PositionOf(file_), 7);
  }
}

// Rows SF1, SF9: from offset 0, wherever the file is.
TEST_F(SockSendfileTest, CopiesWhereTheKernelCannot) {
  lseek(file_.get(), 5, SEEK_SET);
  PlannedSendfile::Reset({EINVAL});
  Start({});
  RunUntilTold();
  EXPECT_THAT(told_, ElementsAre("10"));
  EXPECT_EQ(PlannedSendfile::asked_for().size(), 1);
  EXPECT_EQ(Received(), "0123456789");
  EXPECT_EQ(PositionOf(file_), 10);
}

// Row SF3.
TEST_F(SockSendfileTest, RefusesWithoutFallbackWithAsynciosText) {
  PlannedSendfile::Reset({EINVAL});
  Start({.fallback = false});
  RunUntilTold();
  EXPECT_THAT(told_, ElementsAre("os.sendfile call failed: Invalid argument"));
}

// Rows SF2, SF3; a refusal moves nothing.
TEST_F(SockSendfileTest, RefusesWrongArgumentsWithAsynciosTexts) {
  lseek(file_.get(), 5, SEEK_SET);
  Ends datagram = MakeSocketPair(SOCK_DGRAM);
  Ends blocking = MakeSocketPair();
  Ends pipe = MakePipe();
  SetNonBlocking(datagram.first);
  Start({.offset = 3, .count = 0}, blocking.first.get(), file_.get());
  Start({.offset = -1, .count = 0}, datagram.first.get(), file_.get());
  Start({.offset = -1, .count = 0});
  Start({.offset = -1, .count = 1});
  Start({}, ends_.first.get(), pipe.first.get());
  RunUntilTold(5);
  EXPECT_THAT(told_,
              ElementsAre("the socket must be non-blocking",
                          "only SOCK_STREAM type sockets are supported",
                          "count must be a positive integer (got 0)",
                          "offset must be a non-negative integer (got -1)",
                          "not a regular file"));
  EXPECT_THAT(PlannedSendfile::asked_for(), IsEmpty());
  EXPECT_EQ(PositionOf(file_), 5);
}

// Row SF4.
TEST_F(SockSendfileTest, SendsNothingOfAnEmptyFileOrBehindItsEnd) {
  OwnedFd empty = MakeFile("", O_RDONLY);
  Start({}, ends_.first.get(), empty.get());
  RunUntilTold();
  EXPECT_THAT(PlannedSendfile::asked_for(), IsEmpty());
  Start({.offset = 100});
  RunUntilTold(2);
  EXPECT_THAT(told_, ElementsAre("0", "0"));
}

// Rows SF5, SF13.
TEST_F(SockSendfileTest, SendsABigFileInChunksWhileThePeerReads) {
  std::string big(5 << 20, '\0');
  for (size_t i = 0; i < big.size(); ++i)
    big[i] = static_cast<char>(i * 7 >> 8);
  OwnedFd file = MakeFile(big, O_RDONLY);
  for (int error : {0, ENOSYS}) {
    PlannedSendfile::Reset({error});
    told_.clear();
    Start({}, ends_.first.get(), file.get());
    ASSERT_TRUE(loop_->RunOnce().ok());
    EXPECT_THAT(told_, IsEmpty());  // the peer has not read
    std::string got;
    std::thread reader([&] { got = ReadFully(ends_.second, big.size()); });
    RunUntilTold();
    reader.join();
    EXPECT_THAT(told_, ElementsAre(absl::StrCat(big.size())));
    EXPECT_TRUE(got == big);
  }
  EXPECT_THAT(PlannedSendfile::asked_for(), Each(Le(size_t{1} << 20)));
}

// Rows SF6, SF7.
TEST_F(SockSendfileTest, TellsAnErrorAfterSomeBytesAndLeavesThePosition) {
  OwnedFd file = MakeFile(std::string(4 << 20, 'x'), O_RDONLY);
  PlannedSendfile::Reset({0, EIO});
  Start({}, ends_.first.get(), file.get());
  int first = 0;
  ASSERT_EQ(ioctl(ends_.second.get(), FIONREAD, &first), 0);
  ReadFully(ends_.second, first);
  RunUntilTold();
  EXPECT_THAT(told_, ElementsAre("sendfile: Input/output error"));
  EXPECT_GT(first, 0);
  EXPECT_EQ(PositionOf(file), first);
  EXPECT_EQ(Received(), "");
}

// Row SF6: no SIGPIPE, also outside of a run.
TEST_F(SockSendfileTest, TellsThatThePeerIsGone) {
  ends_.second.Close();
  Start({});
  RunUntilTold();
  EXPECT_THAT(told_, ElementsAre("send: Broken pipe"));
}

// Row SF8.
TEST_F(SockSendfileTest, LeavesThePositionWhenItIsCancelled) {
  OwnedFd file = MakeFile(std::string(4 << 20, 'x'), O_RDONLY);
  SockHandle handle = Start({}, ends_.first.get(), file.get());
  EXPECT_TRUE(handle.Cancel());
  EXPECT_EQ(loop_->Metrics().descriptors, 0);
  EXPECT_EQ(static_cast<size_t>(PositionOf(file)), Received().size());
  EXPECT_THAT(told_, IsEmpty());
}

// Row FD14.
TEST_F(SockSendfileTest, TakesItsTurnAmongOtherSends) {
  const std::string before(1 << 20, 'a');
  socks_->SendAll(ends_.first.get(), Bytes(before), nullptr);
  Start({});
  socks_->SendAll(ends_.first.get(), Bytes("after"), nullptr);
  std::string got;
  std::thread reader(
      [&] { got = ReadFully(ends_.second, before.size() + 15); });
  RunUntilTold();
  RunUntil([&] { return loop_->Metrics().descriptors == 0; });
  reader.join();
  EXPECT_TRUE(got == before + "0123456789after");
}

}  // namespace
}  // namespace troupe
