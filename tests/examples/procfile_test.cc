#include "examples/troupe/procfile.h"

#include "absl/strings/string_view.h"
#include "gmock/gmock.h"

namespace troupe {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

// `name|command|line|on_exit` of each entry.
std::vector<std::string> EntriesOf(absl::string_view text) {
  std::vector<std::string> result;
  for (const ProcfileEntry& entry : ParseProcfile(text).entries) {
    std::string on_exit(entry.on_exit ? OnExitName(*entry.on_exit) : "-");
    result.push_back(entry.name + "|" + entry.command + "|" +
                     std::to_string(entry.line) + "|" + on_exit);
  }
  return result;
}

std::vector<std::string> ProblemsOf(absl::string_view text) {
  std::vector<std::string> result;
  for (const Problem& problem : ParseProcfile(text).problems) {
    result.push_back(Describe("Procfile", problem));
  }
  return result;
}

TEST(ProcfileTest, ReadsOneProcessALine) {
  constexpr char kText[] = "web: serve $PORT\nw_2-X:run: a # b\n";
  EXPECT_THAT(EntriesOf(kText),
              ElementsAre("web|serve $PORT|1|-", "w_2-X|run: a # b|2|-"));
  EXPECT_THAT(ProblemsOf(kText), IsEmpty());
}

TEST(ProcfileTest, PassesOverCommentsAndBlankLines) {
  constexpr char kText[] = "# web: no\n\n  \t\n  # nor this\nweb: yes\n";
  EXPECT_THAT(EntriesOf(kText), ElementsAre("web|yes|5|-"));
  EXPECT_THAT(ProblemsOf(kText), IsEmpty());
}

TEST(ProcfileTest, ReadsWindowsLineEndsAndAMissingLastOne) {
  EXPECT_THAT(EntriesOf("a: x\r\n\r\nb: y"), ElementsAre("a|x|1|-", "b|y|3|-"));
}

TEST(ProcfileTest, KeepsTheBlanksInsideACommandOnly) {
  EXPECT_THAT(EntriesOf("a: \t x  y \t\n"), ElementsAre("a|x  y|1|-"));
}

TEST(ProcfileTest, AsksForNoUtf8) {
  EXPECT_THAT(EntriesOf("a: echo \xFF\xC3\n"),
              ElementsAre("a|echo \xFF\xC3|1|-"));
}

TEST(ProcfileTest, TellsEveryProblemWithItsLineAndColumn) {
  EXPECT_THAT(
      ProblemsOf("web: a\njust words\nweb: b\n: c\nempty:  \nno good: d\n"
                 "  in: e\nw\xC3\xA9: f\nweb:\n"),
      ElementsAre(
          "Procfile:2:1: no colon; expected `name: command`",
          "Procfile:3:1: web is already there on line 1",
          "Procfile:4:1: no name before the colon; expected `name: command`",
          "Procfile:5:7: empty has no command",
          "Procfile:6:3: bad name \"no good\": a name is letters, digits, _ "
          "and -",
          "Procfile:7:1: bad name \"  in\": a name is letters, digits, _ and -",
          "Procfile:8:2: bad name \"w\xC3\xA9\": a name is letters, digits, _ "
          "and -",
          "Procfile:9:1: web is already there on line 1",
          "Procfile:9:5: no command"));
}

TEST(ProcfileTest, KeepsTheSoundLinesBesideTheProblems) {
  EXPECT_THAT(EntriesOf("a: x\nnonsense\na: y\nb: z\n"),
              ElementsAre("a|x|1|-", "b|z|4|-"));
}

TEST(ProcfileTest, RefusesANulByteThatWouldCutTheCommandShort) {
  EXPECT_THAT(ProblemsOf(absl::string_view("a: x\0y\nb: z\n", 12)),
              ElementsAre("Procfile:1:5: a NUL byte"));
}

TEST(ProcfileTest, PutsNoControlBytesInAText) {
  EXPECT_THAT(ProblemsOf("\x1b[31m: x\n"),
              ElementsAre("Procfile:1:1: bad name \"\\x1b[31m\": a name is "
                          "letters, digits, _ and -"));
}

TEST(ProcfileTest, CallsATextWithoutProcessesAProblem) {
  constexpr char kText[] = "Procfile:1:1: no process: no line `name: command`";
  EXPECT_THAT(ProblemsOf(""), ElementsAre(kText));
  EXPECT_THAT(ProblemsOf("# a comment\n\n"), ElementsAre(kText));
}

TEST(ProcfileTest, GivesAProcessTheSettingDirectlyAboveIt) {
  constexpr char kText[] =
      "a: x\n# troupe: on-exit=restart\nb: y\nc: z\n"
      " #troupe:on-exit=ignore\nd: w\n# troupe:  on-exit=stop \r\ne: v\n";
  EXPECT_THAT(EntriesOf(kText),
              ElementsAre("a|x|1|-", "b|y|3|restart", "c|z|4|-", "d|w|6|ignore",
                          "e|v|8|stop"));
  EXPECT_THAT(ProblemsOf(kText), IsEmpty());
}

TEST(ProcfileTest, TellsOfASettingThatBelongsToNoProcess) {
  constexpr char kUnused[] =
      ":11: this setting is not directly above a process";
  for (std::string next : {"\nb: y\n", "# b: x\nb: y\n", ""}) {
    std::string text = "a: x\n# troupe: on-exit=stop\n" + next;
    EXPECT_THAT(ProblemsOf(text),
                ElementsAre(std::string("Procfile:2") + kUnused));
    EXPECT_THAT(EntriesOf(text), Not(Contains(HasSubstr("stop"))));
  }
}

TEST(ProcfileTest, TellsOfASettingItDoesNotKnowAndOfASecondOne) {
  EXPECT_THAT(
      ProblemsOf("# troupe: on-exit=explode\na: x\n# troupe: restart\nb: y\n"
                 "# troupe: on-exit=stop\n# troupe: on-exit=stop\nc: z\n"
                 "# troupe: nonsense\n"),
      ElementsAre(
          "Procfile:1:11: unknown setting \"on-exit=explode\"; there is "
          "on-exit=stop, restart and ignore",
          "Procfile:3:11: unknown setting \"restart\"; there is on-exit=stop, "
          "restart and ignore",
          "Procfile:6:11: a second setting; the first is on line 5",
          "Procfile:8:11: unknown setting \"nonsense\"; there is on-exit=stop, "
          "restart and ignore"));
}

}  // namespace
}  // namespace troupe
