#include "io/bytes.h"

#include <string>
#include <utility>

#include "gtest/gtest.h"

namespace troupe {
namespace {

class CountedStorage final : public ByteStorage {
 public:
  explicit CountedStorage(int& gone) : gone_(gone) {}
  ~CountedStorage() override { ++gone_; }

 private:
  int& gone_;
};

TEST(BytesTest, TakesAStringOver) {
  std::string text(1000, 'x');
  const char* data = text.data();
  Bytes bytes(std::move(text));
  EXPECT_EQ(bytes.data(), data);
  EXPECT_EQ(bytes.size(), 1000u);
}

TEST(BytesTest, SharesWhenItIsCopied) {
  Bytes bytes = Bytes::Copy("shared");
  Bytes copy = bytes;
  EXPECT_EQ(copy.data(), bytes.data());
  EXPECT_EQ(copy.ToString(), "shared");
}

TEST(BytesTest, SkipsWithoutCopying) {
  Bytes bytes = Bytes::Copy("headtail");
  Bytes tail = bytes.Skip(4);
  EXPECT_EQ(tail.view(), "tail");
  EXPECT_EQ(tail.data(), bytes.data() + 4);
  EXPECT_TRUE(tail.Skip(4).empty());
}

TEST(BytesTest, LosesTheFirstBytesToTheirTaker) {
  Bytes rest = Bytes::Copy("headtail");
  const char* data = rest.data();
  Bytes head = rest.TakeFirst(4);
  EXPECT_EQ(head.view(), "head");
  EXPECT_EQ(head.data(), data);
  EXPECT_EQ(rest.view(), "tail");
  EXPECT_EQ(rest.data(), data + 4);
}

TEST(BytesTest, KeepsNoStorageWhenNothingIsTakenOrLeft) {
  int gone = 0;
  auto* storage = new CountedStorage(gone);
  char data[2] = {'h', 'i'};
  Bytes bytes(storage, data, 2);
  storage->Release();
  Bytes nothing = bytes.TakeFirst(0);
  Bytes all = bytes.TakeFirst(2);
  EXPECT_TRUE(nothing.empty());
  EXPECT_TRUE(bytes.empty());
  EXPECT_EQ(all.view(), "hi");
  all = Bytes();
  EXPECT_EQ(gone, 1);
}

TEST(BytesTest, OutlivesTheBytesItWasCutFrom) {
  Bytes tail;
  {
    Bytes bytes = Bytes::Copy("a text that is longer than a short string");
    tail = bytes.Skip(29);
  }
  EXPECT_EQ(tail.view(), "short string");
}

TEST(BytesTest, HasNothingInItByDefaultOrAfterAMove) {
  Bytes empty;
  EXPECT_TRUE(empty.empty());
  EXPECT_EQ(empty.ToString(), "");
  EXPECT_TRUE(Bytes(std::string()).empty());
  Bytes from = Bytes::Copy("x");
  Bytes to = std::move(from);
  EXPECT_TRUE(from.empty());  // NOLINT: what a moved-from one is
  EXPECT_EQ(to.view(), "x");
}

TEST(BytesTest, FreesItsStorageWithTheLastCopy) {
  int gone = 0;
  auto* storage = new CountedStorage(gone);
  char data[2] = {'h', 'i'};
  {
    Bytes bytes(storage, data, 2);
    storage->Release();
    Bytes copy = bytes;
    copy = copy.Skip(1);
    Bytes& same = copy;
    copy = same;
    bytes = Bytes();
    EXPECT_EQ(gone, 0);
    EXPECT_EQ(copy.view(), "i");
  }
  EXPECT_EQ(gone, 1);
}

}  // namespace
}  // namespace troupe
