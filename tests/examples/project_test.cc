#include "examples/troupe/project.h"

#include <filesystem>

#include "gmock/gmock.h"
#include "tests/support/scratch_folder.h"

namespace troupe {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::StartsWith;

class ProjectTest : public ::testing::Test {
 protected:
  ScratchFolder folder_;
};

TEST_F(ProjectTest, ReadsTheProcfileAndTheEnvBesideIt) {
  std::string procfile = folder_.Write("P", "a: x\n");
  folder_.Write(".env", "A=1\n");
  auto project = LoadProject(procfile);
  ASSERT_TRUE(project.ok()) << project.status();
  EXPECT_EQ(project->folder, folder_.path());
  EXPECT_EQ(project->entries.at(0).command, "x");
  EXPECT_THAT(project->variables, ElementsAre(EnvVariable{"A", "1"}));
  EXPECT_THAT(project->problems, IsEmpty());
}

TEST_F(ProjectTest, NeedsNoEnv) {
  auto project = LoadProject(folder_.Write("P", "a: x\n"));
  ASSERT_TRUE(project.ok()) << project.status();
  EXPECT_THAT(project->variables, IsEmpty());
}

TEST_F(ProjectTest, TakesABareNameFromTheWorkingFolder) {
  folder_.Write("P", "a: x\n");
  folder_.Write(".env", "broken\n");
  std::filesystem::path start = std::filesystem::current_path();
  std::filesystem::current_path(folder_.path());
  auto project = LoadProject("P");
  std::filesystem::current_path(start);
  ASSERT_TRUE(project.ok()) << project.status();
  EXPECT_EQ(project->folder, ".");
  EXPECT_THAT(project->problems, ElementsAre(StartsWith(".env:1:7: ")));
}

TEST_F(ProjectTest, TellsTheProblemsOfBothFilesByTheirPaths) {
  std::string procfile = folder_.Write("P", "a x\nb:\n");
  folder_.Write(".env", "A\n");
  auto project = LoadProject(procfile);
  ASSERT_TRUE(project.ok()) << project.status();
  EXPECT_THAT(project->problems,
              ElementsAre(StartsWith(procfile + ":1:1: "),
                          StartsWith(procfile + ":2:3: "),
                          StartsWith(folder_.path() + "/.env:1:2: ")));
}

TEST_F(ProjectTest, SaysWhichFileCannotBeRead) {
  EXPECT_EQ(LoadProject(folder_.path() + "/none").status().message(),
            "open \"" + folder_.path() + "/none\": No such file or directory");
  std::string procfile = folder_.Write("P", "a: x\n");
  ASSERT_TRUE(std::filesystem::create_directory(folder_.path() + "/.env"));
  EXPECT_EQ(LoadProject(procfile).status().message(),
            "read \"" + folder_.path() + "/.env\": Is a directory");
}

// Runs in the runfiles folder, where the example's files are.
TEST(ExampleProcfileTest, IsSoundAndShowsARestart) {
  auto project = LoadProject("examples/troupe/Procfile");
  ASSERT_TRUE(project.ok()) << project.status();
  EXPECT_THAT(project->problems, IsEmpty());
  EXPECT_EQ(project->folder, "examples/troupe");
  std::vector<std::string> restarted;
  for (const ProcfileEntry& entry : project->entries) {
    if (entry.on_exit == OnExit::kRestart) restarted.push_back(entry.name);
  }
  EXPECT_THAT(restarted, ElementsAre("job"));
  EXPECT_THAT(project->variables, ElementsAre(EnvVariable{"PORT", "28657"}));
  EXPECT_THAT(project->entries.at(0).command, HasSubstr("--bind 127.0.0.1"));
}

}  // namespace
}  // namespace troupe
