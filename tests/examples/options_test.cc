#include "examples/troupe/options.h"

#include "gmock/gmock.h"

namespace troupe {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Pair;

using Arguments = std::vector<std::string>;

template <class T>
T Parsed(const Arguments& arguments) {
  auto parsed = ParseOptions(arguments);
  if (auto* exit = std::get_if<OptionsExit>(&parsed)) {
    ADD_FAILURE() << exit->text;
    return T();
  }
  auto* options = std::get_if<T>(&std::get<Options>(parsed));
  EXPECT_NE(options, nullptr) << "another command";
  return options == nullptr ? T() : *options;
}

// The text of a mistake: one line, code 2.
std::string Mistake(const Arguments& arguments) {
  auto parsed = ParseOptions(arguments);
  auto* exit = std::get_if<OptionsExit>(&parsed);
  if (exit == nullptr) return "accepted";
  EXPECT_EQ(exit->code, 2) << exit->text;
  EXPECT_EQ(exit->text.find('\n'), exit->text.size() - 1) << exit->text;
  return exit->text.substr(0, exit->text.find('\n'));
}

std::string Shown(const Arguments& arguments) {
  auto parsed = ParseOptions(arguments);
  auto* exit = std::get_if<OptionsExit>(&parsed);
  if (exit == nullptr) return "accepted";
  EXPECT_EQ(exit->code, 0) << exit->text;
  return exit->text;
}

TEST(OptionsTest, UpStopsAllAfterFiveSecondsUnlessTold) {
  auto up = Parsed<UpOptions>({"up"});
  EXPECT_EQ(up.procfile, "Procfile");
  EXPECT_THAT(up.only, IsEmpty());
  EXPECT_THAT(up.counts, IsEmpty());
  EXPECT_FALSE(up.no_color);
  EXPECT_EQ(up.on_exit, OnExit::kStop);
  EXPECT_EQ(up.timeout, absl::Seconds(5));
}

TEST(OptionsTest, UpTakesAllItsOptions) {
  auto up = Parsed<UpOptions>({"up", "-f", "a/P", "--only", "a,b", "-m",
                               "web=2,worker=0", "--no-color", "--on-exit",
                               "restart", "--timeout", "1m30s"});
  EXPECT_EQ(up.procfile, "a/P");
  EXPECT_THAT(up.only, ElementsAre("a", "b"));
  EXPECT_THAT(up.counts, ElementsAre(Pair("web", 2), Pair("worker", 0)));
  EXPECT_TRUE(up.no_color);
  EXPECT_EQ(up.on_exit, OnExit::kRestart);
  EXPECT_EQ(up.timeout, absl::Seconds(90));
}

TEST(OptionsTest, AddsUpListsAndTakesTheLastOfAnyOtherOption) {
  auto up = Parsed<UpOptions>({"up", "--only=a", "--only", "b", "-m", "a=1",
                               "-m", "b=2", "-f", "x", "-f", "y", "--timeout",
                               "1s", "--timeout=0"});
  EXPECT_THAT(up.only, ElementsAre("a", "b"));
  EXPECT_THAT(up.counts, ElementsAre(Pair("a", 1), Pair("b", 2)));
  EXPECT_EQ(up.procfile, "y");
  EXPECT_EQ(up.timeout, absl::ZeroDuration());
}

TEST(OptionsTest, CheckTakesAProcfile) {
  EXPECT_EQ(Parsed<CheckOptions>({"check"}).procfile, "Procfile");
  EXPECT_EQ(Parsed<CheckOptions>({"check", "-fX"}).procfile, "X");
}

TEST(OptionsTest, RunLeavesTheOptionsOfItsCommandAlone) {
  auto run = Parsed<RunOptions>(
      {"run", "ls", "--help", "--pipe", "-f", "--", "--timeout", "x"});
  EXPECT_THAT(run.command, ElementsAre("ls", "--help", "--pipe", "-f", "--",
                                       "--timeout", "x"));
  EXPECT_FALSE(run.pipe);
  EXPECT_EQ(run.timeout, absl::InfiniteDuration());
}

TEST(OptionsTest, RunTakesItsOwnOptionsBeforeTheCommand) {
  auto run = Parsed<RunOptions>({"run", "--timeout", "30s", "--pipe", "cat"});
  EXPECT_THAT(run.command, ElementsAre("cat"));
  EXPECT_TRUE(run.pipe);
  EXPECT_EQ(run.timeout, absl::Seconds(30));
  EXPECT_EQ(Parsed<RunOptions>({"run", "--timeout=2", "cat"}).timeout,
            absl::Seconds(2));
}

TEST(OptionsTest, RunTakesNoTimeForNoLimit) {
  EXPECT_EQ(Parsed<RunOptions>({"run", "--timeout", "0", "cat"}).timeout,
            absl::InfiniteDuration());
}

TEST(OptionsTest, RunStripsOneDoubleDash) {
  EXPECT_THAT(Parsed<RunOptions>({"run", "--", "-x", "--", "y"}).command,
              ElementsAre("-x", "--", "y"));
  EXPECT_THAT(Parsed<RunOptions>({"run", "--pipe", "--", "--"}).command,
              ElementsAre("--"));
}

TEST(OptionsTest, RunHandsEveryArgumentOnAsItIs) {
  EXPECT_THAT(
      Parsed<RunOptions>({"run", "[a,b]", "", "[x]", "a=b", "-"}).command,
      ElementsAre("[a,b]", "", "[x]", "a=b", "-"));
}

TEST(OptionsTest, HelpAndVersionAreEverywhereAndNoMistake) {
  for (const char* help : {"--help", "-h"}) {
    EXPECT_THAT(Shown({help}), HasSubstr("Usage: troupe [OPTIONS] SUBCOMMAND"));
    EXPECT_THAT(Shown({"up", help}), HasSubstr("Usage: troupe up [OPTIONS]"));
    EXPECT_THAT(Shown({"run", help}),
                HasSubstr("Usage: troupe run [OPTIONS] [command...]"));
    EXPECT_THAT(Shown({"run", "--pipe", help, "ls"}), HasSubstr("troupe run"));
    EXPECT_THAT(Shown({"check", help}), HasSubstr("Usage: troupe check"));
  }
  for (const Arguments& before :
       {Arguments{}, {"up"}, {"run"}, {"check"}, {"up", "-f", "x"}}) {
    Arguments arguments = before;
    arguments.push_back("--version");
    EXPECT_EQ(Shown(arguments), "troupe 0.1.0\n");
  }
}

TEST(OptionsTest, HelpNamesEveryOption) {
  std::string up = Shown({"up", "--help"});
  for (const char* option :
       {"--procfile FILE=Procfile", "--only NAME,...",
        "-m,--formation NAME=COUNT,...", "--no-color",
        "--on-exit stop|restart|ignore=stop", "--timeout TIME=5s",
        "# troupe: on-exit=restart"}) {
    EXPECT_THAT(up, HasSubstr(option));
  }
}

TEST(OptionsTest, NamesACommandOrAnOptionThatIsNotThere) {
  EXPECT_EQ(Mistake({}),
            "troupe: which command? there is up, run and check; see troupe "
            "--help");
  EXPECT_EQ(Mistake({"upp", "-f", "x"}),
            "troupe: no command \"upp\"; there is up, run and check; see "
            "troupe --help");
  EXPECT_EQ(Mistake({"--loud"}), "troupe: no option --loud; see troupe --help");
  EXPECT_EQ(Mistake({"up", "--loud"}),
            "troupe up: no option --loud; see troupe up --help");
  EXPECT_EQ(Mistake({"check", "--only", "a"}),
            "troupe check: no option --only; see troupe check --help");
  EXPECT_EQ(Mistake({"run", "--loud", "--pipe", "ls"}),
            "troupe run: no option --loud; see troupe run --help");
}

TEST(OptionsTest, NamesAnArgumentTooMany) {
  EXPECT_EQ(Mistake({"up", "web"}),
            "troupe up: unexpected argument \"web\"; see troupe up --help");
  EXPECT_EQ(Mistake({"up", "--only", "a", "b"}),
            "troupe up: unexpected argument \"b\"; see troupe up --help");
  EXPECT_EQ(Mistake({"check", "up"}),
            "troupe check: unexpected argument \"up\"; see troupe check "
            "--help");
}

TEST(OptionsTest, NamesTheOptionWhoseValueIsMissing) {
  EXPECT_EQ(Mistake({"up", "-f"}),
            "troupe up: --procfile: 1 required FILE missing; see troupe up "
            "--help");
  EXPECT_EQ(Mistake({"run", "--timeout"}),
            "troupe run: --timeout: 1 required TIME missing; see troupe run "
            "--help");
  EXPECT_EQ(Mistake({"check", "-f", ""}),
            "troupe check: -f: no file name; see troupe check --help");
  for (const Arguments& none : {Arguments{"run"}, {"run", "--pipe", "--"}}) {
    EXPECT_EQ(Mistake(none),
              "troupe run: no command to run; see troupe run --help");
  }
}

TEST(OptionsTest, SaysWhatIsWrongWithAValue) {
  EXPECT_THAT(Mistake({"up", "--timeout", "soon"}),
              HasSubstr("--timeout: \"soon\" is not a time such as 5s"));
  EXPECT_THAT(Mistake({"run", "--timeout", "-1s", "ls"}),
              HasSubstr("--timeout: \"-1s\" is not between 0 and 8760h"));
  EXPECT_THAT(Mistake({"up", "--on-exit", "explode"}),
              HasSubstr("--on-exit: \"explode\" is not stop, restart or ign"));
  for (const char* only : {"", "a,", ",a", "a,,b"}) {
    EXPECT_THAT(Mistake({"up", "--only", only}),
                HasSubstr("is no list of names such as web,worker"));
  }
  for (const char* count : {"web", "web=", "=2", "web=-1", "web=x", "web=1=2",
                            "web=10001", "web=1,", ""}) {
    EXPECT_THAT(Mistake({"up", "-m", count}),
                HasSubstr("is not NAME=COUNT with a count from 0 to 10000"));
  }
  EXPECT_THAT(Mistake({"up", "-m", "web=1", "-m", "web=2"}),
              HasSubstr("-m: web is given twice"));
}

}  // namespace
}  // namespace troupe
