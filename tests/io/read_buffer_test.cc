#include "io/read_buffer.h"

#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include "gtest/gtest.h"

namespace troupe {
namespace {

constexpr size_t kMessage = ReadBuffer::kMessageCost;
constexpr size_t kCopied = ReadBuffer::kMostCopied;
constexpr size_t kSliced = kCopied + 1;

class ReadBufferTest : public ::testing::Test {
 protected:
  std::pair<Bytes, Credit> Read(size_t size, char fill = 'x') {
    auto room = buffer_.Room();
    std::memset(room.data(), fill, size);
    return buffer_.Commit(size);
  }
  BlockPool pool_;
  std::shared_ptr<CreditAccount> account_ =
      std::make_shared<CreditAccount>(1 << 20, [] {});
  ReadBuffer buffer_{pool_, account_};
};

TEST_F(ReadBufferTest, FillsOneBlockWithConsecutiveReads) {
  auto [first, credit1] = Read(kSliced, 'a');
  auto [second, credit2] = Read(kSliced, 'b');
  EXPECT_EQ(second.data(), first.data() + kSliced);
  EXPECT_EQ(first.ToString(), std::string(kSliced, 'a'));
  EXPECT_EQ(second.ToString(), std::string(kSliced, 'b'));
}

TEST_F(ReadBufferTest, ChargesTheBlockOnceAndEachMessage) {
  auto [first, credit1] = Read(kSliced);
  EXPECT_EQ(account_->in_flight(), Block::kSize + kMessage);
  auto [second, credit2] = Read(kSliced);
  EXPECT_EQ(account_->in_flight(), Block::kSize + 2 * kMessage);
}

TEST_F(ReadBufferTest, CopiesASmallChunkAndChargesWhatItTakes) {
  auto [bytes, credit] = Read(kCopied, 'a');
  EXPECT_EQ(account_->in_flight(), kCopied + kMessage);
  char* room = buffer_.Room().data();
  EXPECT_NE(bytes.data(), room);
  auto [next, credit2] = Read(1, 'b');
  EXPECT_EQ(buffer_.Room().data(), room);
  EXPECT_EQ(bytes.ToString(), std::string(kCopied, 'a'));
  EXPECT_EQ(next.ToString(), "b");
}

TEST_F(ReadBufferTest, ChargesATinyChunkAsIfItWereHalfAKilobyte) {
  auto [bytes, credit] = Read(1);
  EXPECT_EQ(account_->in_flight(), kMessage + 512);
}

// The next read does not overwrite what is lent.
TEST_F(ReadBufferTest, LendsAnUnchargedSlice) {
  auto room = buffer_.Room();
  room[0] = 'a';
  Bytes lent = buffer_.Lend(1);
  EXPECT_EQ(lent.data(), room.data());
  auto [bytes, credit] = Read(1, 'b');
  EXPECT_EQ(lent.ToString(), "a");
  EXPECT_EQ(account_->in_flight(), kMessage + 512);
}

TEST_F(ReadBufferTest, GivesTheChargeOfABlockBackWithTheLastOfItsChunks) {
  auto [first, credit1] = Read(kSliced);
  auto [second, credit2] = Read(kSliced);
  credit1.Release();
  EXPECT_EQ(account_->in_flight(), Block::kSize + kMessage);
  credit2.Release();
  EXPECT_EQ(account_->in_flight(), 0u);
}

TEST_F(ReadBufferTest, ChargesTheBlockAgainForALaterChunk) {
  Read(kSliced);
  EXPECT_EQ(account_->in_flight(), 0u);
  auto [bytes, credit] = Read(kSliced);
  EXPECT_EQ(account_->in_flight(), Block::kSize + kMessage);
}

TEST_F(ReadBufferTest, AlwaysHasRoomForAPage) {
  std::vector<std::pair<Bytes, Credit>> chunks;
  for (int i = 0; i < 100; ++i) {
    ASSERT_GE(buffer_.Room().size(), 4096u);
    size_t size = i % 3 == 0 ? 3000 : buffer_.Room().size() / 4;
    chunks.push_back(Read(size, static_cast<char>(i)));
  }
  for (int i = 0; i < 100; ++i) {
    const std::string text = chunks[i].first.ToString();
    EXPECT_EQ(text, std::string(text.size(), static_cast<char>(i)));
  }
}

TEST_F(ReadBufferTest, HoldsNoBlockOnceItIsGivenBack) {
  auto [bytes, credit] = Read(10);
  char* room = buffer_.Room().data();
  buffer_.GiveBack();
  Block* block = pool_.Get();
  EXPECT_EQ(block->data(), room);
  block->Release();
}

// What is out keeps it, and a later read does not write there.
TEST_F(ReadBufferTest, LeavesABlockToTheChunksInIt) {
  auto [bytes, credit] = Read(kSliced, 'a');
  buffer_.GiveBack();
  Read(kSliced, 'b');
  EXPECT_EQ(bytes.ToString(), std::string(kSliced, 'a'));
}

}  // namespace
}  // namespace troupe
