#include "io/framing/length_prefix.h"

#include <cstdint>
#include <limits>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "gtest/gtest.h"

namespace troupe {
namespace {

using Order = LengthPrefix::Order;

uint64_t Largest(int width) {
  return std::numeric_limits<uint64_t>::max() >> (64 - 8 * width);
}

TEST(LengthPrefixTest, WritesTheLengthInItsOrder) {
  EXPECT_EQ(LengthPrefix{}.Encode(0x01020384)->ToString(), "\x01\x02\x03\x84");
  EXPECT_EQ((LengthPrefix{.width = 8, .order = Order::kLittleEndian})
                .Encode(0x0102030405060788)
                ->ToString(),
            "\x88\x07\x06\x05\x04\x03\x02\x01");
  EXPECT_EQ(
      (LengthPrefix{.width = 2, .counts_itself = true}).Encode(254)->ToString(),
      std::string("\x01\x00", 2));
  EXPECT_EQ(LengthPrefix{.width = 1}.Encode(0)->ToString(), std::string(1, 0));
}

TEST(LengthPrefixTest, ReadsWhatItWroteUpToTheLargest) {
  for (int width : {1, 2, 4, 8}) {
    for (Order order : {Order::kBigEndian, Order::kLittleEndian}) {
      for (bool counts_itself : {false, true}) {
        LengthPrefix prefix{width, order, counts_itself};
        uint64_t largest = Largest(width) - (counts_itself ? width : 0);
        for (uint64_t size : {uint64_t{0}, uint64_t{1}, uint64_t{0x80},
                              largest / 3, largest - 1, largest}) {
          auto encoded = prefix.Encode(size);
          ASSERT_TRUE(encoded.ok()) << encoded.status();
          EXPECT_EQ(encoded->size(), static_cast<size_t>(width));
          EXPECT_EQ(prefix.Decode(encoded->view()), size);
        }
        if (largest == std::numeric_limits<uint64_t>::max()) continue;
        EXPECT_EQ(prefix.Encode(largest + 1).status().code(),
                  absl::StatusCode::kInvalidArgument);
      }
    }
  }
}

TEST(LengthPrefixTest, SaysWhatDoesNotFit) {
  EXPECT_EQ((LengthPrefix{.width = 2}).Encode(70000).status(),
            absl::InvalidArgumentError(
                "a frame of 70000 bytes does not fit a length of 2 bytes"));
  EXPECT_EQ(
      (LengthPrefix{.width = 1, .counts_itself = true}).Encode(255).status(),
      absl::InvalidArgumentError(
          "a frame of 255 bytes does not fit a length of 1 byte"));
}

TEST(LengthPrefixTest, ReadsNoLengthThatIsLessThanItself) {
  LengthPrefix prefix{.width = 2, .counts_itself = true};
  EXPECT_EQ(prefix.Decode(absl::string_view("\0\1", 2)), std::nullopt);
  EXPECT_EQ(prefix.Decode(absl::string_view("\0\2", 2)), 0u);
}

TEST(LengthPrefixTest, HasOneTwoFourOrEightBytes) {
  for (int width = -1; width <= 9; ++width) {
    bool is_one = width == 1 || width == 2 || width == 4 || width == 8;
    EXPECT_EQ(LengthPrefix{.width = width}.Check().ok(), is_one) << width;
    EXPECT_EQ(LengthPrefix{.width = width}.Encode(0).ok(), is_one) << width;
  }
  EXPECT_EQ(
      LengthPrefix{.width = 3}.Check(),
      absl::InvalidArgumentError("a length has 1, 2, 4 or 8 bytes, not 3"));
}

}  // namespace
}  // namespace troupe
