#include "examples/troupe/line_splitter.h"

#include <random>
#include <utility>
#include <vector>

#include "gmock/gmock.h"

namespace troupe {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Pair;

using Lines = std::vector<std::pair<std::string, bool>>;

class LineSplitterTest : public ::testing::Test {
 protected:
  Lines Add(absl::string_view bytes) {
    Lines lines;
    splitter_.Add(bytes, [&](SplitLine line) {
      lines.emplace_back(std::string(line.text), line.cut);
    });
    return lines;
  }

  Lines Finish() {
    Lines lines;
    splitter_.Finish([&](SplitLine line) {
      lines.emplace_back(std::string(line.text), line.cut);
    });
    return lines;
  }

  LineSplitter splitter_;
};

std::string Long(size_t size) { return std::string(size, 'x'); }

TEST_F(LineSplitterTest, GivesEveryLineOfACallWithoutItsLineFeed) {
  EXPECT_THAT(Add("a\n\nb c\n"), ElementsAre(Pair("a", false), Pair("", false),
                                             Pair("b c", false)));
  EXPECT_THAT(Finish(), IsEmpty());
}

TEST_F(LineSplitterTest, KeepsAPartialLineUntilItsEndComes) {
  EXPECT_THAT(Add("on"), IsEmpty());
  EXPECT_THAT(Add(""), IsEmpty());
  EXPECT_THAT(Add("e"), IsEmpty());
  EXPECT_THAT(Add("\ntw"), ElementsAre(Pair("one", false)));
  EXPECT_THAT(Add("o\n"), ElementsAre(Pair("two", false)));
}

TEST_F(LineSplitterTest, GivesTheRestAtTheEndOnce) {
  EXPECT_THAT(Add("a\nrest"), ElementsAre(Pair("a", false)));
  EXPECT_THAT(Finish(), ElementsAre(Pair("rest", false)));
  EXPECT_THAT(Finish(), IsEmpty());
}

TEST_F(LineSplitterTest, KeepsAllOtherBytesAsTheyAre) {
  std::string bytes("\0\r\xFF\t\x1b", 5);
  EXPECT_THAT(Add(bytes + "\n"), ElementsAre(Pair(bytes, false)));
}

TEST_F(LineSplitterTest, DoesNotCutALineOfJust64KiB) {
  EXPECT_THAT(Add(Long(kLongestLine)), IsEmpty());
  EXPECT_THAT(Add("\n"), ElementsAre(Pair(Long(kLongestLine), false)));
  EXPECT_THAT(Add(Long(kLongestLine) + "\n"),
              ElementsAre(Pair(Long(kLongestLine), false)));
  EXPECT_THAT(Add(Long(kLongestLine)), IsEmpty());
  EXPECT_THAT(Finish(), ElementsAre(Pair(Long(kLongestLine), false)));
}

TEST_F(LineSplitterTest, CutsALongerLineAndMarksEveryPieceButTheLast) {
  EXPECT_THAT(Add(Long(2 * kLongestLine + 1) + "\nb\n"),
              ElementsAre(Pair(Long(kLongestLine), true),
                          Pair(Long(kLongestLine), true), Pair("x", false),
                          Pair("b", false)));
}

TEST_F(LineSplitterTest, CutsALineThatNeverEndsWithoutKeepingMore) {
  size_t given = 0;
  for (int i = 0; i < 100; ++i) {
    for (const auto& [text, cut] : Add(Long(5000))) {
      EXPECT_TRUE(cut);
      given += text.size();
    }
    EXPECT_GE(given + kLongestLine, (i + 1) * 5000u);
  }
}

TEST_F(LineSplitterTest, HandsOutAViewOfTheCallersBytes) {
  std::string bytes = "one\ntwo\n";
  std::vector<const char*> views;
  splitter_.Add(bytes,
                [&](SplitLine line) { views.push_back(line.text.data()); });
  EXPECT_THAT(views, ElementsAre(bytes.data(), bytes.data() + 4));
}

// What a splitter should do, in the most simple way.
Lines Expected(const std::string& bytes) {
  Lines lines;
  size_t begin = 0;
  while (begin < bytes.size()) {
    size_t end = std::min(bytes.find('\n', begin), bytes.size());
    for (; end - begin > kLongestLine; begin += kLongestLine) {
      lines.emplace_back(bytes.substr(begin, kLongestLine), true);
    }
    lines.emplace_back(bytes.substr(begin, end - begin), false);
    begin = end + 1;
  }
  return lines;
}

// Lines of every length that matters: empty, short, about the limit, over it.
std::string RandomText(std::mt19937* random) {
  std::string bytes;
  for (int line = (*random)() % 12; line > 0; --line) {
    size_t about = ((*random)() % 3) * kLongestLine;
    size_t size = about + (*random)() % 8;
    if (about > 0) size -= 4;
    for (; size > 0; --size) bytes += static_cast<char>('a' + size % 26);
    if (line > 1 || (*random)() % 2 == 0) bytes += '\n';
  }
  return bytes;
}

TEST_F(LineSplitterTest, GivesTheSameLinesHoweverTheBytesAreSplit) {
  for (int seed = 0; seed < 200; ++seed) {
    std::mt19937 random(seed);
    std::string bytes = RandomText(&random);
    size_t largest = size_t{1} << (random() % 19);
    Lines lines;
    for (size_t at = 0; at < bytes.size();) {
      size_t size = std::min<size_t>(random() % largest + 1, bytes.size() - at);
      if (largest == 1) size = std::min<size_t>(random() % 999, size);
      for (auto& line : Add(absl::string_view(bytes).substr(at, size))) {
        lines.push_back(std::move(line));
      }
      at += size;
    }
    for (auto& line : Finish()) lines.push_back(std::move(line));
    ASSERT_TRUE(lines == Expected(bytes)) << "seed " << seed;
  }
}

TEST_F(LineSplitterTest, JoinedAtTheMarksThePrintedPiecesAreTheStream) {
  std::string bytes = "ends in a mark" + std::string(kCutMark) + "\n" +
                      Long(kLongestLine - 1) + std::string(kCutMark) + "\n" +
                      Long(3 * kLongestLine) + "\nlast\n";
  std::string joined;
  for (const auto& [text, cut] : Add(bytes)) {
    std::string printed = text + (cut ? std::string(kCutMark) : "") + "\n";
    // A reader knows a cut by its length alone.
    bool known = printed.size() == kLongestLine + kCutMark.size() + 1;
    EXPECT_EQ(known, cut);
    joined += known ? printed.substr(0, kLongestLine) : printed;
  }
  EXPECT_TRUE(joined == bytes);
}

}  // namespace
}  // namespace troupe
