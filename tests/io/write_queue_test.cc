#include "io/write_queue.h"

#include <algorithm>
#include <cerrno>
#include <memory>
#include <random>
#include <string>
#include <thread>
#include <tuple>
#include <utility>

#include "gtest/gtest.h"
#include "io/descriptor_kind.h"
#include "io/transfer.h"
#include "io/write_piece.h"
#include "tests/support/descriptors.h"
#include "tests/support/leak_check.h"

namespace troupe {
namespace {

constexpr size_t kMuch = 1 << 30;
constexpr auto kFifo = DescriptorKind::kFifo;
using State = WriteQueue::State;

class WriteQueueTest : public LeakCheckedTest {
 protected:
  WriteQueueTest() {
    std::tie(in_, out_) = MakePipe();
    SetNonBlocking(out_);
  }
  State Flush(size_t most = kMuch) {
    return queue_.Flush(out_.get(), kFifo, most).state;
  }
  OwnedFd in_, out_;
  WriteQueue queue_;
};

TEST_F(WriteQueueTest, WritesInOrder) {
  queue_.Push(Bytes::Copy("one "), {});
  queue_.Push(Bytes::Copy("two "), {});
  EXPECT_EQ(queue_.size(), 8u);
  EXPECT_EQ(Flush(), State::kDrained);
  queue_.Push(Bytes::Copy("three"), {});
  EXPECT_EQ(Flush(), State::kDrained);
  EXPECT_EQ(ReadFully(in_, 13), "one two three");
}

// Row W6.
TEST_F(WriteQueueTest, TakesNoEmptyBytes) {
  queue_.Push(Bytes(), {});
  EXPECT_TRUE(queue_.empty());
  EXPECT_EQ(Flush(), State::kDrained);
}

TEST_F(WriteQueueTest, KeepsWhatThePipeDoesNotTake) {
  size_t filled = Fill(out_);
  queue_.Push(Bytes::Copy("late"), {});
  EXPECT_EQ(Flush(), State::kBlocked);
  EXPECT_EQ(queue_.size(), 4u);
  ReadFully(in_, filled);
  EXPECT_EQ(Flush(), State::kDrained);
  EXPECT_EQ(ReadFully(in_, 4), "late");
}

TEST_F(WriteQueueTest, StopsAtItsBound) {
  queue_.Push(Bytes::Copy("0123456789"), {});
  queue_.Push(Bytes::Copy("abc"), {});
  EXPECT_EQ(Flush(4), State::kMore);
  EXPECT_EQ(queue_.size(), 9u);
  EXPECT_EQ(Flush(9), State::kDrained);
  EXPECT_EQ(ReadFully(in_, 13), "0123456789abc");
}

TEST_F(WriteQueueTest, GivesCreditBackWithTheChunkThatIsThrough) {
  auto account = std::make_shared<CreditAccount>(100, [] {});
  for (int i = 0; i < 2; ++i) {
    queue_.Push(Bytes::Copy("0123"), Credit(account, 10));
  }
  Flush(3);
  EXPECT_EQ(account->in_flight(), 20u);
  Flush(2);
  EXPECT_EQ(account->in_flight(), 10u);
  queue_.Clear();
  EXPECT_EQ(account->in_flight(), 0u);
}

TEST_F(WriteQueueTest, SaysWhatItDropped) {
  queue_.Push(Bytes::Copy("0123"), {});
  Flush(1);
  EXPECT_EQ(queue_.Clear(), 3u);
  EXPECT_TRUE(queue_.empty());
  EXPECT_EQ(queue_.size(), 0u);
}

TEST_F(WriteQueueTest, GivesTheErrorOfTheWrite) {
  queue_.Push(Bytes::Copy("x"), {});
  auto result = queue_.Flush(in_.get(), kFifo, kMuch);
  EXPECT_EQ(result.state, State::kFailed);
  EXPECT_EQ(result.error_number, EBADF);
  EXPECT_EQ(queue_.size(), 1u);
}

TEST_F(WriteQueueTest, LosesNothingOfManyChunksOfAnySize) {
  std::mt19937 random(7);
  std::string all;
  std::thread reader;
  std::string got;
  for (int i = 0; i < 2000; ++i) {
    std::string piece(random() % 3000, static_cast<char>('a' + i % 26));
    all += piece;
    queue_.Push(Bytes(piece), {});
  }
  EXPECT_EQ(queue_.size(), all.size());
  reader = std::thread([&] { got = ReadFully(in_, all.size()); });
  while (Flush(1 + random() % 100000) != State::kDrained) {
  }
  reader.join();
  EXPECT_TRUE(got == all);
}

// Writes its text, keeps nothing in memory.
class TextPiece : public WritePiece {
 public:
  TextPiece(std::string text, bool* destroyed)
      : text_(std::move(text)), destroyed_(destroyed) {}
  ~TextPiece() override { *destroyed_ = true; }

  TransferResult Write(int fd, DescriptorKind kind, size_t most) override {
    iovec rest = {text_.data() + written_,
                  std::min(most, text_.size() - written_)};
    TransferResult done = WriteSome(fd, kind, {&rest, 1});
    written_ += done.size;
    return done;
  }
  bool over() const override { return written_ == text_.size(); }
  size_t size() const override { return 0; }

 private:
  std::string text_;
  bool* destroyed_;
  size_t written_ = 0;
};

TEST_F(WriteQueueTest, WritesAPieceInItsPlace) {
  bool destroyed = false;
  queue_.Push(Bytes::Copy("before "), {});
  queue_.Push(std::make_unique<TextPiece>("0123456789", &destroyed));
  queue_.Push(Bytes::Copy(" behind"), {});
  EXPECT_EQ(queue_.size(), 14u);
  EXPECT_EQ(Flush(12), State::kMore);
  EXPECT_FALSE(destroyed);
  EXPECT_EQ(queue_.size(), 7u);
  EXPECT_EQ(Flush(5), State::kMore);
  EXPECT_TRUE(destroyed);
  EXPECT_EQ(Flush(), State::kDrained);
  EXPECT_EQ(ReadFully(in_, 24), "before 0123456789 behind");
}

TEST_F(WriteQueueTest, WaitsWithAPieceForRoom) {
  bool destroyed = false;
  const size_t filled = Fill(out_);
  queue_.Push(std::make_unique<TextPiece>("late", &destroyed));
  EXPECT_EQ(Flush(), State::kBlocked);
  ReadFully(in_, filled);
  EXPECT_EQ(Flush(), State::kDrained);
  EXPECT_EQ(ReadFully(in_, 4), "late");
}

TEST_F(WriteQueueTest, DropsAPieceThatIsNotOver) {
  bool destroyed = false;
  queue_.Push(std::make_unique<TextPiece>("never", &destroyed));
  EXPECT_EQ(queue_.Clear(), 0u);
  EXPECT_TRUE(destroyed);
  EXPECT_TRUE(queue_.empty());
}

// Rows W27, V37: one byte at a time out of a large buffer is linear, not
// quadratic.
TEST_F(WriteQueueTest, DoesNotMoveWhatIsLeft) {
  Bytes big(std::string(64 << 20, 'x'));
  const char* data = big.data();
  queue_.Push(big, {});
  for (int i = 0; i < 60000; ++i) ASSERT_EQ(Flush(1), State::kMore);
  EXPECT_EQ(queue_.size(), big.size() - 60000);
  EXPECT_EQ(big.data(), data);
}

}  // namespace
}  // namespace troupe
