#include "examples/troupe/selection.h"

#include "gmock/gmock.h"

namespace troupe {
namespace {

using ::testing::ElementsAre;

class SelectionTest : public ::testing::Test {
 protected:
  using Names = std::vector<std::string>;
  using Counts = std::map<std::string, int>;

  Names Select(const Names& only, const Counts& counts) const {
    Names names;
    auto selected = SelectProcesses(entries_, only, counts);
    EXPECT_TRUE(selected.ok()) << selected.status();
    for (const NamedProcess& process : *selected) names.push_back(process.name);
    return names;
  }

  std::string Refusal(const Names& only, const Counts& counts) const {
    auto selected = SelectProcesses(entries_, only, counts);
    EXPECT_TRUE(absl::IsInvalidArgument(selected.status()));
    return std::string(selected.status().message());
  }

  const std::vector<ProcfileEntry> entries_ = {
      {"web", "serve", 1, std::nullopt},
      {"worker", "work", 2, OnExit::kRestart},
      {"clock", "tick", 3, std::nullopt}};
};

TEST_F(SelectionTest, RunsEachProcessOnceUnderItsBareName) {
  EXPECT_THAT(Select({}, {}), ElementsAre("web", "worker", "clock"));
}

TEST_F(SelectionTest, RunsOnlyThoseAskedForInTheOrderOfTheProcfile) {
  EXPECT_THAT(Select({"clock", "web", "web"}, {}), ElementsAre("web", "clock"));
}

TEST_F(SelectionTest, NumbersTheProcessesOfACount) {
  EXPECT_THAT(Select({}, {{"worker", 2}, {"clock", 0}, {"web", 1}}),
              ElementsAre("web", "worker.1", "worker.2"));
}

TEST_F(SelectionTest, GivesEachInstanceItsCommandAndSetting) {
  EXPECT_THAT(*SelectProcesses(entries_, {"worker"}, {{"worker", 2}}),
              ElementsAre(NamedProcess{"worker.1", "work", OnExit::kRestart},
                          NamedProcess{"worker.2", "work", OnExit::kRestart}));
}

TEST_F(SelectionTest, NamesWhatIsNotInTheProcfile) {
  EXPECT_EQ(Refusal({"web", "wep"}, {}),
            "--only: no process \"wep\" in the Procfile; there is web, worker, "
            "clock");
  EXPECT_EQ(Refusal({}, {{"x", 2}}),
            "-m: no process \"x\" in the Procfile; there is web, worker, "
            "clock");
}

TEST_F(SelectionTest, RefusesACountForAProcessThatOnlyLeavesOut) {
  EXPECT_EQ(Refusal({"web"}, {{"worker", 2}}),
            "-m: worker is not among --only");
}

TEST_F(SelectionTest, RefusesToRunNothing) {
  EXPECT_EQ(Refusal({"web"}, {{"web", 0}}),
            "nothing to run: -m leaves no process");
}

}  // namespace
}  // namespace troupe
