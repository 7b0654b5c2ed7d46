#include "io/read_buffer.h"

#include <cstring>
#include <memory>
#include <vector>

#include "gtest/gtest.h"

namespace troupe {
namespace {

constexpr size_t kMessage = ReadBuffer::kMessageCost;

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
  auto [first, credit1] = Read(10, 'a');
  auto [second, credit2] = Read(20, 'b');
  EXPECT_EQ(second.data(), first.data() + 10);
  EXPECT_EQ(first.ToString(), std::string(10, 'a'));
  EXPECT_EQ(second.ToString(), std::string(20, 'b'));
}

TEST_F(ReadBufferTest, ChargesTheBlockOnceAndEachMessage) {
  auto [first, credit1] = Read(1000);
  EXPECT_EQ(account_->in_flight(), Block::kSize + kMessage);
  auto [second, credit2] = Read(1000);
  EXPECT_EQ(account_->in_flight(), Block::kSize + 2 * kMessage);
}

TEST_F(ReadBufferTest, ChargesATinyChunkAsIfItWereHalfAKilobyte) {
  auto [bytes, credit] = Read(1);
  EXPECT_EQ(account_->in_flight(), Block::kSize + kMessage + 511);
}

TEST_F(ReadBufferTest, GivesTheBlockBackWithTheLastCreditOfItsChunks) {
  auto [first, credit1] = Read(1000);
  auto [second, credit2] = Read(1000);
  credit1.Release();
  EXPECT_EQ(account_->in_flight(), Block::kSize + kMessage);
  credit2.Release();
  EXPECT_EQ(account_->in_flight(), 0u);
}

TEST_F(ReadBufferTest, ChargesTheBlockAgainForALaterChunk) {
  Read(1000);
  EXPECT_EQ(account_->in_flight(), 0u);
  auto [bytes, credit] = Read(1000);
  EXPECT_EQ(account_->in_flight(), Block::kSize + kMessage);
}

TEST_F(ReadBufferTest, AlwaysHasRoomForAPage) {
  std::vector<std::pair<Bytes, Credit>> chunks;
  for (int i = 0; i < 100; ++i) {
    ASSERT_GE(buffer_.Room().size(), 4096u);
    chunks.push_back(Read(3000, static_cast<char>(i)));
  }
  for (int i = 0; i < 100; ++i) {
    EXPECT_EQ(chunks[i].first.ToString(),
              std::string(3000, static_cast<char>(i)));
  }
}

TEST_F(ReadBufferTest, HoldsNoBlockWhenNothingCame) {
  char* room = buffer_.Room().data();
  buffer_.GiveBackIfUnused();
  Block* block = pool_.Get();
  EXPECT_EQ(block->data(), room);
  block->Release();
}

TEST_F(ReadBufferTest, KeepsAStartedBlockWhenNothingCame) {
  auto [bytes, credit] = Read(10);
  char* room = buffer_.Room().data();
  buffer_.GiveBackIfUnused();
  EXPECT_EQ(buffer_.Room().data(), room);
}

}  // namespace
}  // namespace troupe
