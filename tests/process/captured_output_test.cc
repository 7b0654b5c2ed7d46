#include "process/captured_output.h"

#include <algorithm>
#include <random>
#include <string>

#include "absl/strings/string_view.h"
#include "gtest/gtest.h"
#include "tests/support/leak_check.h"

namespace troupe {
namespace {

class CapturedOutputTest : public LeakCheckedTest {};

TEST_F(CapturedOutputTest, KeepsEverythingUnlessItIsLimited) {
  CapturedOutput captured;
  EXPECT_TRUE(captured.empty());
  captured.Add("ab");
  captured.Add("");
  captured.Add("cd");
  EXPECT_FALSE(captured.empty());
  CapturedText text = captured.Take();
  EXPECT_EQ(text.head, "abcd");
  EXPECT_EQ(text.tail, "");
  EXPECT_FALSE(text.truncated());
  EXPECT_EQ(text.ToString(), "abcd");
  EXPECT_TRUE(captured.empty());
}

// Ask 20: the beginning, the end, and how much is missing.
TEST_F(CapturedOutputTest, KeepsTheFirstAndTheLastBytes) {
  CapturedOutput captured({.head = 3, .tail = 4});
  captured.Add("abcdefg");
  captured.Add("hijk");
  CapturedText text = captured.Take();
  EXPECT_EQ(text.head, "abc");
  EXPECT_EQ(text.dropped, 4u);
  EXPECT_EQ(text.tail, "hijk");
  EXPECT_EQ(text.size(), 11u);
  EXPECT_EQ(text.ToString(), "abc[... 4 bytes dropped ...]hijk");
}

TEST_F(CapturedOutputTest, SaysNothingIsMissingWhenHeadAndTailMeet) {
  CapturedOutput captured({.head = 3, .tail = 4});
  captured.Add("abcdefg");
  EXPECT_EQ(captured.Take().ToString(), "abcdefg");
}

TEST_F(CapturedOutputTest, WithoutRoomItOnlyCounts) {
  CapturedOutput captured({.head = 0, .tail = 0});
  captured.Add("abc");
  EXPECT_FALSE(captured.empty());
  EXPECT_EQ(captured.Take().dropped, 3u);
}

TEST_F(CapturedOutputTest, StartsAnewWhenItWasTaken) {
  CapturedOutput captured({.head = 1, .tail = 2});
  captured.Add("abcdef");
  captured.Take();
  captured.Add("gh");
  EXPECT_EQ(captured.Take().ToString(), "gh");
}

// However it comes, it is the same as cutting the whole.
TEST_F(CapturedOutputTest, IsTheSameHoweverTheStreamIsCut) {
  std::minstd_rand random(1);
  for (int round = 0; round < 2000; ++round) {
    std::string all(random() % 200, 0);
    for (char& c : all) c = 'a' + random() % 26;
    const size_t head = random() % 40, tail = random() % 40;
    CapturedOutput captured({.head = head, .tail = tail});
    for (absl::string_view rest = all; !rest.empty();) {
      size_t size = std::min<size_t>(rest.size(), 1 + random() % 60);
      captured.Add(rest.substr(0, size));
      rest.remove_prefix(size);
    }
    CapturedText text = captured.Take();
    EXPECT_EQ(text.head, all.substr(0, head));
    const std::string behind = all.size() > head ? all.substr(head) : "";
    const size_t kept = std::min(tail, behind.size());
    EXPECT_EQ(text.tail, behind.substr(behind.size() - kept));
    EXPECT_EQ(text.dropped, behind.size() - kept);
  }
}

}  // namespace
}  // namespace troupe
