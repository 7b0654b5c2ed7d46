// Framers against the plainest ones there are, on streams in every cut and at
// random. A failure names its seed: --test_arg=--gtest_random_seed=SEED does it
// again.

#include <algorithm>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "io/framing/length_framer.h"
#include "io/framing/length_prefix.h"
#include "io/framing/separator_framer.h"
#include "tests/io/framing/framed_stream.h"

namespace troupe {
namespace {

using Ending = SeparatorFramer::Ending;

int Seed() {
  int seed = testing::FLAGS_gtest_random_seed;
  return seed != 0 ? seed : 1 + std::random_device()() % 99999;
}

// All strings over `letters` of up to `most` bytes, the shortest first.
std::vector<std::string> AllStrings(absl::string_view letters, size_t most) {
  std::vector<std::string> all = {""};
  for (size_t i = 0; all[i].size() < most; ++i) {
    for (char letter : letters) all.push_back(all[i] + letter);
  }
  return all;
}

// Of the whole stream at once.
Frames PlainlySplit(const std::string& stream,
                    const SeparatorFramer::Options& options) {
  Frames frames;
  size_t begin = 0, own = options.separator.size();
  while (begin < stream.size()) {
    size_t end = stream.find(options.separator, begin);
    if (end == stream.npos) {
      std::string rest = stream.substr(begin);
      bool too_long = rest.size() >= own + options.limit;
      frames.push_back({Kind::kIncomplete, std::move(rest), too_long});
      break;
    }
    size_t size = end - begin, past = end + own;
    if (size > options.limit) {
      frames.push_back(
          {Kind::kTooLongEnd, stream.substr(begin, past - begin), true});
    } else {
      if (options.ending == Ending::kKept) size += own;
      if (options.ending == Ending::kCutWithCr && size > 0 &&
          stream[begin + size - 1] == '\r') {
        --size;
      }
      frames.push_back({Kind::kComplete, stream.substr(begin, size)});
    }
    begin = past;
  }
  return frames;
}

Frames PlainlyUnpacked(const std::string& stream, const LengthPrefix& prefix,
                       size_t limit) {
  Frames frames;
  size_t begin = 0, width = prefix.width;
  while (begin < stream.size()) {
    std::string rest = stream.substr(begin);
    uint64_t size = 0;
    if (rest.size() < width) {
      frames.push_back({Kind::kIncomplete, rest});
      break;
    }
    if (auto decoded = prefix.Decode(rest.substr(0, width))) {
      size = *decoded;
    } else {
      frames.push_back({Kind::kMalformed, rest.substr(0, width)});
      begin += width;
      continue;
    }
    bool too_long = size > limit;
    if (rest.size() - width < size) {
      frames.push_back({Kind::kIncomplete, rest, too_long});
      break;
    }
    frames.push_back(
        too_long
            ? WholeFrame{Kind::kTooLongEnd, rest.substr(0, width + size), true}
            : WholeFrame{Kind::kComplete, rest.substr(width, size)});
    begin += width + size;
  }
  return frames;
}

TEST(FramingPropertyTest, SplitsEveryShortStreamInEveryCutAtEverySeparator) {
  for (const char* separator : {"a", "aa", "ab", "aab", "aba", "aaab"}) {
    for (size_t limit : {1, 100}) {
      SeparatorFramer::Options options{separator, Ending::kKept, limit};
      auto framer = SeparatorFramer::Create(options);
      ASSERT_TRUE(framer.ok());
      for (const std::string& stream : AllStrings("ab", 6)) {
        Frames expected = PlainlySplit(stream, options);
        ForEveryCut(stream, [&](const Pieces& pieces) {
          ASSERT_EQ(FramesOf(*framer, pieces), expected)
              << separator << " " << stream << " " << limit;
        });
      }
    }
  }
}

TEST(FramingPropertyTest, UnpacksEveryShortStreamInEveryCut) {
  for (bool counts_itself : {false, true}) {
    for (size_t limit : {1, 100}) {
      LengthPrefix prefix{.width = 1, .counts_itself = counts_itself};
      auto framer = LengthFramer::Create(prefix, limit);
      ASSERT_TRUE(framer.ok());
      for (const std::string& stream :
           AllStrings(absl::string_view("\0\1\2", 3), 5)) {
        Frames expected = PlainlyUnpacked(stream, prefix, limit);
        ForEveryCut(stream, [&](const Pieces& pieces) {
          ASSERT_EQ(FramesOf(*framer, pieces), expected)
              << absl::CEscape(stream) << " " << limit;
        });
      }
    }
  }
}

// Rows A4, H15, H16.
TEST(FramingPropertyTest, SplitsRandomStreamsAndLosesNothing) {
  int seed = Seed();
  SCOPED_TRACE(absl::StrCat("seed ", seed));
  std::mt19937 random(seed);
  for (int i = 0; i < 100; ++i) {
    SeparatorFramer::Options options;
    options.separator.assign(1 + random() % 5, 'a');
    for (char& c : options.separator) c += random() % 2;
    options.ending = random() % 2 == 0 ? Ending::kCut : Ending::kCutWithCr;
    options.limit = 1 + random() % 100;
    std::string stream;
    while (stream.size() < 3000) {
      if (random() % 8 == 0) {
        stream += options.separator;
      } else {
        stream.append(random() % 20, "abc\r"[random() % 4]);
      }
    }
    auto framer = SeparatorFramer::Create(options);
    ASSERT_TRUE(framer.ok());
    size_t longest = 1 + random() % 300;
    Frames frames = FramesOf(*framer, RandomCut(stream, longest, random));
    ASSERT_EQ(frames, PlainlySplit(stream, options)) << i;

    if (options.ending == Ending::kCutWithCr) continue;
    std::string restored;
    for (const WholeFrame& frame : frames) {
      restored += frame.bytes;
      if (frame.end == Kind::kComplete) restored += options.separator;
    }
    ASSERT_EQ(restored, stream) << i;
  }
}

TEST(FramingPropertyTest, UnpacksRandomStreamsAndLosesNothing) {
  int seed = Seed();
  SCOPED_TRACE(absl::StrCat("seed ", seed));
  std::mt19937 random(seed);
  for (int i = 0; i < 100; ++i) {
    LengthPrefix prefix;
    prefix.width = 1 << random() % 4;
    prefix.order = static_cast<LengthPrefix::Order>(random() % 2);
    prefix.counts_itself = random() % 2 == 0;
    size_t limit = 1 + random() % 100;
    std::string stream;
    while (stream.size() < 3000) {
      std::string payload(random() % 120, static_cast<char>('a' + i % 26));
      absl::StrAppend(&stream, prefix.Encode(payload.size())->view(), payload);
      // What cannot be a length, now and then.
      if (random() % 100 == 0) stream.append(prefix.width, '\0');
    }
    stream.resize(stream.size() - random() % 20);
    auto framer = LengthFramer::Create(prefix, limit);
    ASSERT_TRUE(framer.ok());
    size_t longest = 1 + random() % 300;
    Frames frames = FramesOf(*framer, RandomCut(stream, longest, random));
    ASSERT_EQ(frames, PlainlyUnpacked(stream, prefix, limit)) << i;

    std::string restored;
    for (const WholeFrame& frame : frames) {
      if (frame.end == Kind::kComplete) {
        absl::StrAppend(&restored, prefix.Encode(frame.bytes.size())->view());
      }
      restored += frame.bytes;
    }
    ASSERT_EQ(restored, stream) << i;
  }
}

}  // namespace
}  // namespace troupe
