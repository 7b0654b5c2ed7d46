#include "examples/troupe/output_queue.h"

#include <memory>
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"

namespace troupe {
namespace {

class OutputQueueTest : public ::testing::Test {
 protected:
  void Add(size_t process, std::string text) {
    size_t size = text.size();
    queue_.Add(process, 0, Bytes(std::move(text)), Credit(account_, size));
  }

  // All that is left, each line without its prefix.
  std::string Rest() {
    std::string text;
    while (auto piece = queue_.Next()) text += piece->text;
    std::string bare;
    for (size_t at = 0; at < text.size();) {
      size_t end = text.find('\n', at);
      size_t bar = text.find("| ", at);
      bare += text.substr(bar + 2, end + 1 - bar - 2);
      at = end + 1;
    }
    return bare;
  }

  std::shared_ptr<CreditAccount> account_ =
      std::make_shared<CreditAccount>(1 << 30, [] {});
  OutputQueue queue_{{"a", "b", "troupe"}, /*color=*/false};
};

TEST_F(OutputQueueTest, HasNothingToSayAtFirst) {
  EXPECT_FALSE(queue_.Next().has_value());
}

TEST_F(OutputQueueTest, KeepsLinesOfTwoProcessesWhole) {
  Add(0, "a1 ");
  Add(1, "b1 ");
  Add(0, "a2\na3");
  Add(1, "b2\n");
  Add(0, "\n");
  EXPECT_EQ(Rest(), "a1 a2\nb1 b2\na3\n");
}

TEST_F(OutputQueueTest, PrefixesEachLineWithTheNameOfItsProcess) {
  Add(1, "x\n");
  std::string text = queue_.Next()->text;
  EXPECT_TRUE(absl::EndsWith(text, " b      | x\n")) << text;
}

TEST_F(OutputQueueTest, PrintsALineWithoutItsEndWhenTheProcessIsDrained) {
  Add(0, "left");
  EXPECT_EQ(Rest(), "");
  queue_.AddEnd(0, 0);
  EXPECT_EQ(Rest(), "left\n");
  queue_.AddEnd(0, 0);
  EXPECT_EQ(Rest(), "");
}

TEST_F(OutputQueueTest, PutsOurOwnLinesInOrderBetweenChunks) {
  Add(0, "one\ntw");
  queue_.AddText("00:00:00 troupe | said\n");
  Add(0, "o\n");
  EXPECT_EQ(Rest(), "one\nsaid\ntwo\n");
}

TEST_F(OutputQueueTest, EndsEachPieceWithALine) {
  for (int i = 0; i < 500; ++i) Add(i % 2, std::string(700, 'x') + "\nyy");
  while (auto piece = queue_.Next()) {
    ASSERT_TRUE(piece->text.empty() || piece->text.back() == '\n');
  }
}

// A credit that goes back early lets the process write more than is printed.
TEST_F(OutputQueueTest, GivesTheCreditWithThePieceThatFinishesItsChunk) {
  Add(0, std::string(50'000, '\n'));  // about 1 MiB of lines
  size_t pieces = 0;
  while (account_->in_flight() > 0) {
    auto piece = queue_.Next();
    ASSERT_TRUE(piece.has_value());
    ++pieces;
    EXPECT_EQ(account_->in_flight(), 50'000u);
    if (!piece->credits.empty()) {
      EXPECT_FALSE(queue_.Next().has_value());
    }
  }
  EXPECT_GT(pieces, 5u);
}

TEST_F(OutputQueueTest, GivesTheCreditOfAChunkWithoutALineEnd) {
  Add(0, "no end");
  auto piece = queue_.Next();
  ASSERT_TRUE(piece.has_value());
  EXPECT_EQ(piece->text, "");
  EXPECT_EQ(piece->credits.size(), 1u);
}

TEST_F(OutputQueueTest, BoundsAPieceWhenEveryByteIsALine) {
  Add(0, std::string(1 << 20, '\n'));
  while (auto piece = queue_.Next()) {
    ASSERT_LE(piece->text.size(), 160u * 1024);
  }
}

TEST_F(OutputQueueTest, BoundsAPieceOfManySmallChunks) {
  for (int i = 0; i < 20'000; ++i) Add(0, "\n");
  size_t pieces = 0;
  while (auto piece = queue_.Next()) {
    ++pieces;
    ASSERT_LE(piece->text.size(), 160u * 1024);
  }
  EXPECT_GT(pieces, 3u);
}

TEST_F(OutputQueueTest, ForgetsWhatWasWrittenButNotWhatWeSay) {
  Add(0, "half a line");
  (void)queue_.Next();
  Add(0, "gone\n");
  queue_.AddText("00:00:00 troupe | said\n");
  Add(1, "gone\n");
  queue_.DropOutput();
  EXPECT_EQ(account_->in_flight(), 0u);
  queue_.AddEnd(0, 0);
  EXPECT_EQ(Rest(), "said\n");
}

}  // namespace
}  // namespace troupe
