#include "io/framing/length_framer.h"

#include <limits>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "io/framing/frame.h"
#include "io/framing/length_prefix.h"
#include "tests/io/framing/framed_stream.h"
#include "tests/support/leak_check.h"

namespace troupe {
namespace {

class LengthFramerTest : public LeakCheckedTest {
 protected:
  static LengthFramer Make(LengthPrefix prefix,
                           size_t limit = kDefaultFrameLimit) {
    auto framer = LengthFramer::Create(prefix, limit);
    EXPECT_TRUE(framer.ok()) << framer.status();
    return *std::move(framer);
  }
  // The payload with its prefix in front.
  static std::string Framed(LengthPrefix prefix, absl::string_view payload) {
    return absl::StrCat(prefix.Encode(payload.size())->view(), payload);
  }
};

TEST_F(LengthFramerTest, CutsFramesHoweverTheyCome) {
  LengthPrefix prefix{.width = 2, .order = LengthPrefix::Order::kLittleEndian};
  std::string stream = absl::StrCat(Framed(prefix, "one"), Framed(prefix, ""),
                                    Framed(prefix, "5"));
  ForEveryCut(stream, [&](const Pieces& pieces) {
    auto framer = Make(prefix);
    EXPECT_EQ(FramesOf(framer, pieces), Frames({{Kind::kComplete, "one"},
                                                {Kind::kComplete, ""},
                                                {Kind::kComplete, "5"}}));
  });
}

TEST_F(LengthFramerTest, ReadsEveryFormOfPrefix) {
  for (int width : {1, 2, 4, 8}) {
    for (auto order : {LengthPrefix::Order::kBigEndian,
                       LengthPrefix::Order::kLittleEndian}) {
      for (bool counts_itself : {false, true}) {
        LengthPrefix prefix{width, order, counts_itself};
        std::string payload(200, 'x');
        std::string stream = Framed(prefix, payload) + Framed(prefix, "y");
        auto framer = Make(prefix);
        EXPECT_EQ(FramesOf(framer, {stream}),
                  Frames({{Kind::kComplete, payload}, {Kind::kComplete, "y"}}));
      }
    }
  }
}

TEST_F(LengthFramerTest, GivesAnEmptyFrameWithItsPrefix) {
  auto framer = Make({.width = 1});
  Bytes rest = Bytes::Copy(absl::string_view("\0", 1));
  auto frame = framer.Next(rest);
  ASSERT_TRUE(frame.has_value());
  EXPECT_EQ(frame->kind, Kind::kComplete);
  EXPECT_TRUE(frame->bytes.empty());
}

TEST_F(LengthFramerTest, GivesWhatIsThereAtTheEndWithItsPrefix) {
  LengthPrefix prefix{.width = 4};
  std::string whole = Framed(prefix, "payload");
  for (size_t size = 0; size < whole.size(); ++size) {
    ForEveryCut(whole.substr(0, size), [&](const Pieces& pieces) {
      auto framer = Make(prefix);
      Frames rest;
      if (size > 0) rest.push_back({Kind::kIncomplete, whole.substr(0, size)});
      EXPECT_EQ(FramesOf(framer, pieces), rest);
      // And is as new.
      EXPECT_EQ(FramesOf(framer, {whole}),
                Frames({{Kind::kComplete, "payload"}}));
    });
  }
}

// Row A4.
TEST_F(LengthFramerTest, TakesAFrameOfTheLimitAndNoneThatIsOneByteLonger) {
  LengthPrefix prefix{.width = 1};
  std::string stream = absl::StrCat(Framed(prefix, "ab"), Framed(prefix, "abc"),
                                    Framed(prefix, "d"));
  ForEveryCut(stream, [&](const Pieces& pieces) {
    auto framer = Make(prefix, 2);
    EXPECT_EQ(FramesOf(framer, pieces),
              Frames({{Kind::kComplete, "ab"},
                      {Kind::kTooLongEnd, Framed(prefix, "abc"), true},
                      {Kind::kComplete, "d"}}));
  });
}

TEST_F(LengthFramerTest, SaysTooLongWithThePrefix) {
  auto framer = Make({.width = 2}, 4);
  Bytes rest = Bytes::Copy(absl::string_view("\0", 1));
  EXPECT_FALSE(framer.Next(rest).has_value());
  rest = Bytes::Copy("\5abc");
  auto frame = framer.Next(rest);
  ASSERT_TRUE(frame.has_value());
  EXPECT_EQ(frame->kind, Kind::kTooLong);
  EXPECT_EQ(frame->bytes.view(), absl::string_view("\0\5", 2));
  EXPECT_EQ(rest.view(), "abc");
}

TEST_F(LengthFramerTest, SaysThatTheStreamEndedInALongFrame) {
  auto framer = Make({.width = 1}, 2);
  for (absl::string_view stream : {"\3", "\3a", "\3ab"}) {
    EXPECT_EQ(FramesOf(framer, {stream}),
              Frames({{Kind::kIncomplete, std::string(stream), true}}));
  }
  EXPECT_EQ(FramesOf(framer, {"\1a"}), Frames({{Kind::kComplete, "a"}}));
}

TEST_F(LengthFramerTest, BearsTheLargestLengthAndTheLargestLimit) {
  LengthPrefix prefix{.width = 8};
  std::string stream(8, '\xff');
  auto limited = Make(prefix);
  EXPECT_EQ(FramesOf(limited, {stream + "abc"}),
            Frames({{Kind::kIncomplete, stream + "abc", true}}));
  auto unlimited = Make(prefix, std::numeric_limits<size_t>::max());
  EXPECT_EQ(FramesOf(unlimited, {stream + "a", "bc"}),
            Frames({{Kind::kIncomplete, stream + "abc"}}));
}

TEST_F(LengthFramerTest, GivesALengthThatIsLessThanItselfAsMalformed) {
  LengthPrefix prefix{.width = 2, .counts_itself = true};
  std::string wrong("\0\1", 2);
  ForEveryCut(wrong + Framed(prefix, "next"), [&](const Pieces& pieces) {
    auto framer = Make(prefix);
    EXPECT_EQ(FramesOf(framer, pieces),
              Frames({{Kind::kMalformed, wrong}, {Kind::kComplete, "next"}}));
  });
}

TEST_F(LengthFramerTest, RefusesAWidthThatIsNoneAndALimitOfNothing) {
  EXPECT_EQ(
      LengthFramer::Create({.width = 3}).status(),
      absl::InvalidArgumentError("a length has 1, 2, 4 or 8 bytes, not 3"));
  EXPECT_EQ(LengthFramer::Create({}, 0).status(),
            absl::InvalidArgumentError("Limit cannot be <= 0"));
}

}  // namespace
}  // namespace troupe
