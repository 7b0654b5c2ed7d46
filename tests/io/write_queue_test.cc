#include "io/write_queue.h"

#include <cerrno>
#include <memory>
#include <random>
#include <string>
#include <thread>
#include <tuple>
#include <utility>

#include "gtest/gtest.h"
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
    queue_.Push(Bytes::Copy("0123"),
                Credit(std::make_shared<const Charge>(account, 10)));
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
