#include "examples/troupe/source_text.h"

#include <cerrno>
#include <cstdio>

#include "gmock/gmock.h"
#include "io/os_error.h"

namespace troupe {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

TEST(SourceTextTest, DescribesAProblemAsCompilersDo) {
  EXPECT_EQ(Describe("a/Procfile", {3, 14, "no colon"}),
            "a/Procfile:3:14: no colon");
}

TEST(SourceTextTest, EndsLinesAtLfAndCrLfAlike) {
  EXPECT_THAT(SourceLines("a\r\nb\n\nc"), ElementsAre("a", "b", "", "c"));
  EXPECT_THAT(SourceLines("a\n"), ElementsAre("a"));
  EXPECT_THAT(SourceLines(""), IsEmpty());
}

TEST(SourceTextTest, KeepsACarriageReturnInsideALine) {
  EXPECT_THAT(SourceLines("a\rb\n"), ElementsAre("a\rb"));
}

TEST(SourceTextTest, SkipsAByteOrderMarkAtTheStartOnly) {
  EXPECT_THAT(SourceLines("\xEF\xBB\xBF"
                          "a\n\xEF\xBB\xBF"
                          "b"),
              ElementsAre("a",
                          "\xEF\xBB\xBF"
                          "b"));
}

TEST(SourceTextTest, SaysWhichFileCannotBeOpenedAndWhy) {
  EXPECT_EQ(ReadSourceText("/no/such").status().message(),
            "open \"/no/such\": No such file or directory");
}

TEST(SourceTextTest, DoesNotTakeAFolderForAText) {
  EXPECT_EQ(ReadSourceText("/").status().message(),
            "read \"/\": Is a directory");
}

TEST(SourceTextTest, DoesNotReadForEver) {
  auto failure = OsFailureOf(ReadSourceText("/dev/zero").status());
  ASSERT_TRUE(failure.has_value());
  EXPECT_EQ(failure->error_number, EFBIG);
}

}  // namespace
}  // namespace troupe
