#include "examples/troupe/prefix.h"

#include <cstdlib>
#include <regex>
#include <set>

#include "gtest/gtest.h"

namespace troupe {
namespace {

class PrefixTest : public ::testing::Test {
 protected:
  PrefixTest() { SetZone("UTC"); }

  static void SetZone(const char* zone) {
    setenv("TZ", zone, 1);
    tzset();
  }

  static std::string Of(Prefix* prefix, time_t now, size_t index) {
    std::string out;
    prefix->AppendTo(&out, now, index);
    return out;
  }
};

constexpr time_t kNoon = 1700000000 / 86400 * 86400 + 12 * 3600;

TEST_F(PrefixTest, AlignsTheNamesToTheLongest) {
  Prefix prefix({"web", "client", "c"}, false);
  EXPECT_EQ(Of(&prefix, kNoon, 0), "12:00:00 web    | ");
  EXPECT_EQ(Of(&prefix, kNoon, 1), "12:00:00 client | ");
  EXPECT_EQ(Of(&prefix, kNoon, 2), "12:00:00 c      | ");
}

TEST_F(PrefixTest, AppendsBehindWhatIsThere) {
  Prefix prefix({"a"}, false);
  std::string out = "x\n";
  prefix.AppendTo(&out, kNoon, 0);
  EXPECT_EQ(out, "x\n12:00:00 a | ");
}

TEST_F(PrefixTest, TellsTheTimeOfEachLineForwardAndBack) {
  Prefix prefix({"a"}, false);
  EXPECT_EQ(Of(&prefix, kNoon, 0), "12:00:00 a | ");
  EXPECT_EQ(Of(&prefix, kNoon + 61, 0), "12:01:01 a | ");
  EXPECT_EQ(Of(&prefix, kNoon, 0), "12:00:00 a | ");
  EXPECT_EQ(Of(&prefix, -1, 0), "23:59:59 a | ");
  Prefix before_the_epoch({"a"}, false);
  EXPECT_EQ(Of(&before_the_epoch, -1, 0), "23:59:59 a | ");
}

TEST_F(PrefixTest, TellsLocalTime) {
  SetZone("XXX-02");
  Prefix prefix({"a"}, false);
  EXPECT_EQ(Of(&prefix, kNoon, 0), "14:00:00 a | ");
}

TEST_F(PrefixTest, MatchesTheExpressionThatTheIssueCountsBy) {
  Prefix prefix({"a", "b"}, false);
  std::regex counted("^.* (a|b) +\\| [0-9]+$");
  EXPECT_TRUE(std::regex_match(Of(&prefix, kNoon, 0) + "17", counted));
  EXPECT_TRUE(std::regex_match(Of(&prefix, kNoon, 1) + "200000", counted));
}

TEST_F(PrefixTest, ColoursThePrefixAndNotTheText) {
  Prefix prefix({"a"}, true);
  EXPECT_EQ(Of(&prefix, kNoon, 0), "\x1b[36m12:00:00 a | \x1b[0m");
}

TEST_F(PrefixTest, GivesNeighboursDifferentColoursAndStartsAgain) {
  Prefix prefix(std::vector<std::string>(9, "a"), true);
  std::set<std::string> different;
  for (size_t i = 0; i < 8; ++i) different.insert(Of(&prefix, kNoon, i));
  EXPECT_EQ(different.size(), 8u);
  EXPECT_EQ(Of(&prefix, kNoon, 8), Of(&prefix, kNoon, 0));
}

}  // namespace
}  // namespace troupe
