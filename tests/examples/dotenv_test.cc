#include "examples/troupe/dotenv.h"

#include "absl/strings/string_view.h"
#include "gmock/gmock.h"

namespace troupe {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

std::vector<std::string> VariablesOf(absl::string_view text) {
  std::vector<std::string> result;
  for (const EnvVariable& variable : ParseDotenv(text).variables) {
    result.push_back(variable.name + "=[" + variable.value + "]");
  }
  return result;
}

std::vector<std::string> ProblemsOf(absl::string_view text) {
  std::vector<std::string> result;
  for (const Problem& problem : ParseDotenv(text).problems) {
    result.push_back(Describe(".env", problem));
  }
  return result;
}

TEST(DotenvTest, ReadsAssignmentsWithAndWithoutExport) {
  constexpr char kText[] =
      "A=1\nexport B_2=two words\n  export\tC=\nexport=d\n";
  EXPECT_THAT(VariablesOf(kText),
              ElementsAre("A=[1]", "B_2=[two words]", "C=[]", "export=[d]"));
  EXPECT_THAT(ProblemsOf(kText), IsEmpty());
}

TEST(DotenvTest, PassesOverCommentsBlankLinesAndWindowsLineEnds) {
  constexpr char kText[] = "# A=0\r\n\r\n  # B=0\r\nC=1\r\n";
  EXPECT_THAT(VariablesOf(kText), ElementsAre("C=[1]"));
  EXPECT_THAT(ProblemsOf(kText), IsEmpty());
}

TEST(DotenvTest, TakesAHashForACommentOnlyBehindABlank) {
  EXPECT_THAT(VariablesOf("A=#fff\nB=a#b # c\nC= # none\nD=\"#\" # yes\n"),
              ElementsAre("A=[#fff]", "B=[a#b]", "C=[]", "D=[#]"));
}

TEST(DotenvTest, TrimsWhatIsNotQuoted) {
  EXPECT_THAT(VariablesOf("A=  x y \t\nB=' x '\nC=\" y \"\n"),
              ElementsAre("A=[x y]", "B=[ x ]", "C=[ y ]"));
}

TEST(DotenvTest, UnescapesInDoubleQuotesOnly) {
  EXPECT_THAT(VariablesOf("A=\"a\\nb\\t\\\"\\\\\\$x\"\nB='a\\n\"'\nC=a\\n\n"),
              ElementsAre("A=[a\nb\t\"\\$x]", "B=[a\\n\"]", "C=[a\\n]"));
}

TEST(DotenvTest, ExpandsNothing) {
  EXPECT_THAT(VariablesOf("A=1\nB=$A\nC=\"`id` ${A}\"\n"),
              ElementsAre("A=[1]", "B=[$A]", "C=[`id` ${A}]"));
}

TEST(DotenvTest, KeepsTheFirstPlaceAndTheLastValueOfAVariable) {
  EXPECT_THAT(VariablesOf("A=1\nB=2\nA=3\n"), ElementsAre("A=[3]", "B=[2]"));
}

TEST(DotenvTest, TellsEveryProblemWithItsLineAndColumn) {
  EXPECT_THAT(
      ProblemsOf("A\nB = 1\n=2\n3C=3\nD.E=4\nF=\"open\nG='open\nH=\"a\"b\n"
                 "I=\"end\\\nexport J\nK=ok\n"),
      ElementsAre(
          ".env:1:2: no = after the name; expected NAME=value",
          ".env:2:2: a blank after the name; expected NAME=value",
          ".env:3:1: no name before the =; expected NAME=value",
          ".env:4:1: bad name \"3C\": a name is letters, digits and _, and "
          "does not begin with a digit",
          ".env:5:2: bad name \"D.E\": a name is letters, digits and _, and "
          "does not begin with a digit",
          ".env:6:3: the quote is not closed on this line",
          ".env:7:3: the quote is not closed on this line",
          ".env:8:6: text after the closing quote",
          ".env:9:3: the quote is not closed on this line",
          ".env:10:9: no = after the name; expected NAME=value"));
}

TEST(DotenvTest, LeavesOutTheVariableOfALineWithAProblem) {
  EXPECT_THAT(VariablesOf("A=\"x\nB='y' z\nC=ok\n"), ElementsAre("C=[ok]"));
}

TEST(DotenvTest, RefusesANulByteThatWouldCutTheValueShort) {
  EXPECT_THAT(ProblemsOf(absl::string_view("A=x\0y\n", 6)),
              ElementsAre(".env:1:4: a NUL byte"));
}

}  // namespace
}  // namespace troupe
