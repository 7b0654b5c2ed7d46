// A file in a write queue (rows SF2 to SF9, SF12, SF13, V45).
#include "io/sockets/file_transfer.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/types/span.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "io/bytes.h"
#include "io/descriptor_kind.h"
#include "io/file_sender.h"
#include "io/owned_fd.h"
#include "io/write_queue.h"
#include "tests/support/descriptors.h"
#include "tests/support/leak_check.h"
#include "tests/support/planned_sendfile.h"

namespace troupe {
namespace {

using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Le;
using State = WriteQueue::State;

constexpr size_t kMuch = 1 << 30;

class FileTransferTest : public LeakCheckedTest {
 protected:
  FileTransferTest() : ends_(MakeSocketPair()) {
    SetNonBlocking(ends_.first);
    PlannedSendfile::Reset();
  }

  // Of a copy of the descriptor, so that the position can be asked afterwards.
  FileTransfer::Shared Begin(FileRange range = {}) {
    auto file = FileTransfer::Begin(
        OwnedFd(fcntl(file_.get(), F_DUPFD_CLOEXEC, 3)), range);
    EXPECT_TRUE(file.ok()) << file.status();
    (*file)->OnEnd([this](absl::StatusOr<uint64_t> sent) {
      told_.push_back(sent.ok() ? absl::StrCat(*sent)
                                : std::string(sent.status().message()));
    });
    return *std::move(file);
  }
  std::string Refusal(FileRange range) {
    lseek(file_.get(), 5, SEEK_SET);
    auto file = FileTransfer::Begin(
        OwnedFd(fcntl(file_.get(), F_DUPFD_CLOEXEC, 3)), range);
    EXPECT_EQ(Position(), 5);
    return std::string(file.status().message());
  }
  void Push(FileRange range = {}) {
    queue_.Push(FileTransfer::Piece(Begin(range)));
  }
  void Say(const std::string& text) { queue_.Push(Bytes(text), {}); }
  WriteQueue::FlushResult Flush(size_t most = kMuch) {
    return queue_.Flush(ends_.first.get(), DescriptorKind::kStreamSocket, most);
  }
  off_t Position() { return lseek(file_.get(), 0, SEEK_CUR); }
  std::string Received() {
    shutdown(ends_.first.get(), SHUT_WR);
    return ReadFully(ends_.second, kMuch / 64);
  }

  Ends ends_;
  OwnedFd file_ = MakeFile("0123456789", O_RDWR);
  WriteQueue queue_;
  std::vector<std::string> told_;
};

// Rows SF7, V45.
TEST_F(FileTransferTest, StandsInTheQueueInItsPlaceAndLeavesThePosition) {
  Say("before ");
  Push({.offset = 3, .count = 4});
  Say(" behind");
  EXPECT_EQ(queue_.size(), 14u);
  EXPECT_EQ(Flush().state, State::kDrained);
  EXPECT_THAT(told_, ElementsAre("4"));
  EXPECT_EQ(Position(), 7);
  EXPECT_EQ(Received(), "before 3456 behind");
}

// Rows SF3, SF9.
TEST_F(FileTransferTest, CopiesWhereTheKernelCannot) {
  lseek(file_.get(), 5, SEEK_SET);
  PlannedSendfile::Reset({EINVAL});
  Push();
  Push({.offset = 8});
  EXPECT_EQ(Flush().state, State::kDrained);
  EXPECT_THAT(told_, ElementsAre("10", "2"));
  EXPECT_EQ(Received(), "012345678989");
}

// sendfile(2) would wait for the reader.
TEST_F(FileTransferTest, CopiesToASocketThatMayBlock) {
  ends_ = MakeSocketPair();
  Fill(ends_.first);
  Push();
  EXPECT_EQ(Flush().state, State::kBlocked);
  EXPECT_THAT(PlannedSendfile::asked_for(), IsEmpty());
  queue_.Clear();
  Push({.fallback = false});
  EXPECT_EQ(Flush().state, State::kDrained);
  EXPECT_THAT(told_, ElementsAre("the file is not sent any more",
                                 "the socket must be non-blocking"));
}

// Row SF3; what is behind it is written.
TEST_F(FileTransferTest, FailsWithoutFallbackAndGoesOn) {
  PlannedSendfile::Reset({EINVAL});
  Push({.fallback = false});
  Say("next");
  EXPECT_EQ(Flush().state, State::kDrained);
  EXPECT_THAT(told_, ElementsAre("os.sendfile call failed: Invalid argument"));
  EXPECT_EQ(Received(), "next");
}

// Rows SF2, SF3.
TEST_F(FileTransferTest, RefusesWrongArgumentsWithAsynciosTexts) {
  EXPECT_EQ(Refusal({.offset = -1, .count = 0}),
            "count must be a positive integer (got 0)");
  EXPECT_EQ(Refusal({.offset = -1, .count = 1}),
            "offset must be a non-negative integer (got -1)");
  EXPECT_EQ(FileTransfer::Begin(MakePipe().first, {}).status().message(),
            "not a regular file");
  EXPECT_EQ(FileTransfer::Begin(OwnedFd(), {}).status().message(),
            "not a regular file");
}

// Row SF2.
TEST_F(FileTransferTest, IsNotForSocketsThatKeepBoundaries) {
  Push();
  queue_.Flush(ends_.first.get(), DescriptorKind::kMessageSocket, kMuch);
  EXPECT_THAT(told_,
              ElementsAre("only SOCK_STREAM type sockets are supported"));
  EXPECT_TRUE(queue_.empty());
}

// Row SF4.
TEST_F(FileTransferTest, SendsNothingOfAnEmptyFileOrBehindItsEnd) {
  Push({.offset = 10});
  Push({.offset = 100});
  file_ = MakeFile("", O_RDONLY);
  Push();
  EXPECT_EQ(Flush().state, State::kDrained);
  EXPECT_THAT(told_, ElementsAre("0", "0", "0"));
  EXPECT_THAT(PlannedSendfile::asked_for(), IsEmpty());
}

// Rows SF5, SF13: nothing is in memory, and no call asks for more than 1 MiB.
TEST_F(FileTransferTest, SendsABigFileInChunks) {
  std::string big(5 << 20, '\0');
  for (size_t i = 0; i < big.size(); ++i) {
    big[i] = static_cast<char>(i * 7 >> 8);
  }
  file_ = MakeFile(big, O_RDONLY);
  for (int error : {0, ENOSYS}) {
    PlannedSendfile::Reset({error});
    Push();
    EXPECT_EQ(queue_.size(), 0u);
    std::string got;
    while (Flush(3 << 20).state != State::kDrained) {
      std::string room(1 << 20, '\0');
      ssize_t n = read(ends_.second.get(), room.data(), room.size());
      ASSERT_GT(n, 0);
      got.append(room, 0, n);
    }
    got += ReadFully(ends_.second, big.size() - got.size());
    EXPECT_TRUE(got == big);
    EXPECT_THAT(PlannedSendfile::asked_for(), Each(Le(size_t{1} << 20)));
  }
  EXPECT_THAT(told_, Each(absl::StrCat(big.size())));
}

TEST_F(FileTransferTest, SendsNoMoreThanTheBoundOfATurn) {
  Push();
  Say("behind");
  EXPECT_EQ(Flush(4).state, State::kMore);
  EXPECT_THAT(told_, IsEmpty());
  EXPECT_EQ(Flush(6).state, State::kMore);
  EXPECT_THAT(told_, ElementsAre("10"));
  EXPECT_EQ(Received(), "0123456789");
}

TEST_F(FileTransferTest, EndsWhereATruncatedFileEnds) {
  Push({.offset = 2});
  Flush(3);
  ASSERT_EQ(ftruncate(file_.get(), 7), 0);
  EXPECT_EQ(Flush().state, State::kDrained);
  EXPECT_THAT(told_, ElementsAre("5"));
  EXPECT_EQ(Position(), 7);
  EXPECT_EQ(Received(), "23456");
}

TEST_F(FileTransferTest, SendsNothingThatWasAddedLater) {
  Push({.offset = 2});
  ASSERT_EQ(pwrite(file_.get(), "more", 4, 10), 4);
  EXPECT_EQ(Flush().state, State::kDrained);
  EXPECT_THAT(told_, ElementsAre("8"));
}

// A file that cannot be read is not the stream's failure.
TEST_F(FileTransferTest, TellsThatTheFileCannotBeReadAndGoesOn) {
  file_ = MakeFile("0123456789", O_WRONLY);
  Push();
  Say("next");
  EXPECT_EQ(Flush().state, State::kDrained);
  EXPECT_THAT(told_, ElementsAre("pread: Bad file descriptor"));
  EXPECT_EQ(Position(), 0);
  EXPECT_EQ(Received(), "next");
}

// Row SF6: an error after some bytes is not tried again in another way.
TEST_F(FileTransferTest, TellsTheFilesErrorAfterSomeBytes) {
  PlannedSendfile::Reset({0, EIO});
  Push();
  Flush(4);
  EXPECT_EQ(Flush().state, State::kDrained);
  EXPECT_THAT(told_, ElementsAre("sendfile: Input/output error"));
  EXPECT_EQ(Position(), 4);
  EXPECT_EQ(Received(), "0123");
}

// Rows SF6, SF12: it is the stream's, natively and by copying, at the first
// call and later; no SIGPIPE.
TEST_F(FileTransferTest, LeavesTheSocketsErrorToTheStream) {
  for (int first : {0, EINVAL}) {
    for (size_t before : {0, 4}) {
      ends_ = MakeSocketPair();
      SetNonBlocking(ends_.first);
      PlannedSendfile::Reset({first});
      told_.clear();
      Push();
      if (before > 0) Flush(before);
      ends_.second.Close();
      const WriteQueue::FlushResult result = Flush();
      EXPECT_EQ(result.state, State::kFailed);
      EXPECT_EQ(result.error_number, EPIPE);
      EXPECT_THAT(told_, IsEmpty());
      queue_.Clear();
      EXPECT_THAT(told_, ElementsAre("the file is not sent any more"));
      EXPECT_EQ(Position(), before);
    }
  }
}

// A reset that the kernel words otherwise.
TEST_F(FileTransferTest, TellsAnErrorOfABrokenSocketFromTheFiles) {
  PlannedSendfile::Reset({0, EIO});
  Push();
  Flush(4);
  ends_.second.Close();
  EXPECT_EQ(Flush().state, State::kFailed);
  EXPECT_THAT(told_, IsEmpty());
  queue_.Clear();
}

// Row SF8: at once; the queue goes on without it.
TEST_F(FileTransferTest, EndsWhenItIsTold) {
  auto file = Begin({.offset = 1});
  queue_.Push(FileTransfer::Piece(file));
  Say("behind");
  Flush(3);
  EXPECT_EQ(Position(), 0);
  file->End(absl::CancelledError("enough"));
  file->End(absl::CancelledError("again"));
  EXPECT_THAT(told_, ElementsAre("enough"));
  EXPECT_EQ(Position(), 4);
  EXPECT_EQ(Flush().state, State::kDrained);
  EXPECT_EQ(Received(), "123behind");
}

TEST_F(FileTransferTest, LeavesTheQueueWithoutAWriteWhenItHasEnded) {
  auto file = Begin();
  queue_.Push(FileTransfer::Piece(file));
  queue_.DropOver();
  EXPECT_FALSE(queue_.empty());
  file->End(absl::CancelledError("enough"));
  queue_.DropOver();
  EXPECT_TRUE(queue_.empty());
}

TEST_F(FileTransferTest, AreCancelledTogetherAndSayHowMuchOfThemWentOut) {
  FileTransfers files;
  for (int i = 0; i < 3; ++i) {
    auto file = Begin();
    files.Add(file);
    queue_.Push(FileTransfer::Piece(file));
  }
  Flush(14);
  EXPECT_FALSE(files.empty());
  files.CancelAll();
  EXPECT_TRUE(files.empty());
  EXPECT_THAT(told_, ElementsAre("10", "sendfile was cancelled after 4 bytes",
                                 "sendfile was cancelled after 0 bytes"));
}

// For whoever has to encrypt.
TEST_F(FileTransferTest, CanBeReadInstead) {
  auto file = Begin({.offset = 1, .count = 7});
  char room[4];
  EXPECT_EQ(file->Read(absl::MakeSpan(room)).size, 4u);
  EXPECT_EQ(std::string(room, 4), "1234");
  EXPECT_FALSE(file->over());
  EXPECT_EQ(file->Read(absl::MakeSpan(room)).size, 3u);
  EXPECT_TRUE(file->over());
  EXPECT_THAT(told_, ElementsAre("7"));
  EXPECT_EQ(Position(), 8);
}

}  // namespace
}  // namespace troupe
