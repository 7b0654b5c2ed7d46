// What framers keep, counted where this program takes memory.

#include <malloc.h>

#include <algorithm>
#include <cstdlib>
#include <new>
#include <optional>
#include <string>
#include <utility>

#include "absl/strings/string_view.h"
#include "gtest/gtest.h"
#include "io/block_pool.h"
#include "io/bytes.h"
#include "io/framing/exact_framer.h"
#include "io/framing/frame.h"
#include "io/framing/length_framer.h"
#include "io/framing/length_prefix.h"
#include "io/framing/separator_framer.h"

namespace {

size_t in_use = 0;
size_t peak = 0;
size_t ever_taken = 0;

}  // namespace

void* operator new(size_t size) {
  void* memory = malloc(size);
  if (memory == nullptr) abort();
  in_use += malloc_usable_size(memory);
  peak = std::max(peak, in_use);
  ever_taken += size;
  return memory;
}

void operator delete(void* memory) noexcept {
  in_use -= malloc_usable_size(memory);
  free(memory);
}

void operator delete(void* memory, size_t) noexcept { operator delete(memory); }

namespace troupe {
namespace {

using Kind = Frame::Kind;

// malloc's rounding, a Bytes' control block.
constexpr size_t kSlack = 100;

class CountedStorage final : public ByteStorage {
 public:
  explicit CountedStorage(int& gone) : gone_(gone) {}
  ~CountedStorage() override { ++gone_; }

 private:
  int& gone_;
};

// Text in storage that counts when it goes.
Bytes Counted(absl::string_view text, int& gone) {
  auto* storage = new CountedStorage(gone);
  Bytes bytes(storage, text.data(), text.size());
  storage->Release();
  return bytes;
}

SeparatorFramer Lines(size_t limit) {
  return *SeparatorFramer::Create({.limit = limit});
}

TEST(FramingMemoryTest, CutsAFrameWithinOneChunkWithoutACopy) {
  std::string text = "\3abc\n";
  int gone = 0;
  {
    Bytes rest = Counted(text, gone);
    auto frame = Lines(10).Next(rest);
    EXPECT_EQ(frame->bytes.data(), text.data());
    rest = Counted(text, gone);
    frame = LengthFramer::Create({.width = 1})->Next(rest);
    EXPECT_EQ(frame->bytes.data(), text.data() + 1);
    EXPECT_EQ(frame->bytes.size(), 3u);
    EXPECT_EQ(gone, 1);
  }
  EXPECT_EQ(gone, 2);
}

TEST(FramingMemoryTest, CutsThePartsOfALongFrameWithoutACopy) {
  std::string text = "0123456789\n";
  int gone = 0;
  SeparatorFramer framer = Lines(4);
  Bytes rest = Counted(text, gone);
  EXPECT_EQ(framer.Next(rest)->bytes.data(), text.data());
  EXPECT_EQ(framer.Next(rest)->bytes.data(), text.data() + 5);
  EXPECT_EQ(gone, 1);
}

TEST(FramingMemoryTest, HoldsNoChunk) {
  SeparatorFramer lines = Lines(100);
  LengthFramer framer = *LengthFramer::Create({.width = 1});
  int gone = 0;
  Bytes rest = Counted("a line's beg", gone);
  EXPECT_FALSE(lines.Next(rest).has_value());
  EXPECT_EQ(gone, 1);
  rest = Counted("\5abc", gone);
  EXPECT_FALSE(framer.Next(rest).has_value());
  EXPECT_EQ(gone, 2);
  rest = Counted("inning\n", gone);
  auto line = lines.Next(rest);
  EXPECT_EQ(gone, 3);
  rest = Counted("de", gone);
  auto frame = framer.Next(rest);
  EXPECT_EQ(gone, 4);
  EXPECT_EQ(line->bytes.view(), "a line's beginning");
  EXPECT_EQ(frame->bytes.view(), "abcde");
}

TEST(FramingMemoryTest, AnEmptyFrameHoldsNoChunk) {
  int gone = 0;
  Bytes rest = Counted("\n", gone);
  auto frame = Lines(10).Next(rest);
  EXPECT_EQ(frame->kind, Kind::kComplete);
  EXPECT_EQ(gone, 1);
}

// A peer that sends a byte a block holds no block by it.
TEST(FramingMemoryTest, ASlowPeerHoldsItsBytesAndNoBlocks) {
  BlockPool pool(0);
  SeparatorFramer lines = Lines(100);
  size_t before = in_use;
  for (int i = 0; i < 100; ++i) {
    Block* block = pool.Get();
    block->data()[0] = 'x';
    Bytes rest(block, block->data(), 1);
    block->Release();
    ASSERT_FALSE(lines.Next(rest).has_value());
    ASSERT_LE(in_use - before, 101 + kSlack);
  }
}

// Feeds `framer` with single bytes; the most it holds at rest, and on the way.
template <class Framer>
std::pair<size_t, size_t> MostHeld(Framer& framer, Bytes stream) {
  size_t before = in_use, most = 0;
  peak = in_use;
  while (!stream.empty()) {
    Bytes rest = stream.TakeFirst(1);
    while (framer.Next(rest).has_value()) {
    }
    most = std::max(most, in_use - std::min(in_use, before));
  }
  return {most, peak - before};
}

TEST(FramingMemoryTest, HoldsNoMoreThanTheLimit) {
  constexpr size_t kLimit = 5000;
  Bytes all = Bytes::Copy(std::string(5000, 'x') + "\r\n" +
                          std::string(50000, 'x') + "\r\n");
  auto framer = SeparatorFramer::Create({.separator = "\r\n", .limit = kLimit});
  auto [most, on_the_way] = MostHeld(*framer, std::move(all));
  EXPECT_GE(most, kLimit);
  EXPECT_LE(most, kLimit + 2 + kSlack);
  EXPECT_LE(on_the_way, 2 * (kLimit + 2 + kSlack));
}

TEST(FramingMemoryTest, HoldsNoMoreThanTheLimitOfFramesWithALength) {
  constexpr size_t kLimit = 5000;
  LengthPrefix prefix;
  std::string all;
  for (size_t size : {5000, 50000, 3000}) {
    all += prefix.Encode(size)->ToString() + std::string(size, 'x');
  }
  auto framer = LengthFramer::Create(prefix, kLimit);
  auto [most, on_the_way] = MostHeld(*framer, Bytes(std::move(all)));
  EXPECT_GE(most, kLimit);
  EXPECT_LE(most, kLimit + 4 + kSlack);
  EXPECT_LE(on_the_way, 2 * (kLimit + 4 + kSlack));
}

TEST(FramingMemoryTest, HoldsNothingInALongFrame) {
  SeparatorFramer lines = Lines(1000);
  ExactFramer body(10'000, 1000);
  std::string text(5000, 'x');
  size_t before = in_use;
  int gone = 0;
  Bytes rest = Counted(text, gone);
  while (lines.Next(rest).has_value()) {
  }
  rest = Counted(text, gone);
  while (body.Next(rest).has_value()) {
  }
  EXPECT_EQ(in_use, before);
}

// Neither a high limit nor a length that is only said costs memory.
TEST(FramingMemoryTest, TakesMemoryAsBytesCome) {
  constexpr size_t kLimit = 1 << 30;
  size_t before = in_use;
  SeparatorFramer lines = Lines(kLimit);
  LengthFramer framer = *LengthFramer::Create({.width = 4}, kLimit);
  int gone = 0;
  std::string text("\x30\0\0\0 begins", 11);
  Bytes rest = Counted(text, gone);
  EXPECT_FALSE(lines.Next(rest).has_value());
  rest = Counted(text, gone);
  EXPECT_FALSE(framer.Next(rest).has_value());
  EXPECT_LE(in_use - before, 2 * kSlack);
}

// Gives the framer the text byte by byte; the frame at its end.
template <class Framer>
std::optional<Frame> FrameOfSingleBytes(Framer& framer, Bytes text) {
  std::optional<Frame> frame;
  while (!text.empty() && !frame.has_value()) {
    Bytes rest = text.TakeFirst(1);
    frame = framer.Next(rest);
  }
  return frame;
}

TEST(FramingMemoryTest, AFrameKeepsTwiceItsSizeAtMostAndOneOfKnownSizeNoMore) {
  for (size_t size : {100, 1000, 40'000}) {
    SeparatorFramer lines = Lines(1 << 20);
    LengthFramer framer = *LengthFramer::Create({});
    Bytes line(std::string(size, 'x') + '\n');
    Bytes payload(LengthPrefix().Encode(size)->ToString() +
                  std::string(size, 'x'));
    size_t before = in_use;
    {
      auto frame = FrameOfSingleBytes(lines, line);
      EXPECT_EQ(frame->bytes.size(), size);
      EXPECT_LE(in_use - before, 2 * size + kSlack);
    }
    {
      auto frame = FrameOfSingleBytes(framer, payload);
      EXPECT_EQ(frame->bytes.size(), size);
      EXPECT_LE(in_use - before, size + kSlack);
    }
    EXPECT_EQ(in_use, before);
  }
}

// An allocation is as much work as it has bytes.
TEST(FramingMemoryTest, MovesAHugeFrameAFewTimesAtMostWhileItGrows) {
  constexpr size_t kSize = 1 << 16;
  SeparatorFramer lines = Lines(kSize);
  ExactFramer exact(kSize, kSize);
  Bytes text(std::string(kSize, 'x') + '\n');
  size_t before = ever_taken;
  EXPECT_TRUE(FrameOfSingleBytes(lines, text).has_value());
  EXPECT_LE(ever_taken - before, 4 * kSize);
  before = ever_taken;
  EXPECT_TRUE(FrameOfSingleBytes(exact, text).has_value());
  EXPECT_LE(ever_taken - before, 4 * kSize);
}

}  // namespace
}  // namespace troupe
