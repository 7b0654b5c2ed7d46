#include "examples/troupe/working_folder.h"

#include <stdlib.h>

#include <filesystem>

#include "gtest/gtest.h"
#include "tests/support/scratch_folder.h"

namespace troupe {
namespace {

class WorkingFolderTest : public ::testing::Test {
 protected:
  WorkingFolderTest() : start_(std::filesystem::current_path()) {
    unsetenv("BUILD_WORKING_DIRECTORY");
    unsetenv("BUILD_WORKSPACE_DIRECTORY");
  }
  ~WorkingFolderTest() override { std::filesystem::current_path(start_); }

  static std::string Here() { return std::filesystem::current_path(); }

  ScratchFolder folder_;
  std::filesystem::path start_;
};

TEST_F(WorkingFolderTest, GoesToWhereTheUserOfBazelRunStands) {
  setenv("BUILD_WORKING_DIRECTORY", folder_.path().c_str(), 1);
  EXPECT_TRUE(EnterWorkingFolder().ok());
  EXPECT_EQ(Here(), folder_.path());
  EXPECT_EQ(std::string(getenv("PWD")), folder_.path());
}

TEST_F(WorkingFolderTest, KeepsWhatBazelRunAddsFromChildren) {
  setenv("BUILD_WORKING_DIRECTORY", folder_.path().c_str(), 1);
  setenv("BUILD_WORKSPACE_DIRECTORY", "/w", 1);
  setenv("BUILD_NUMBER", "7", 1);
  EXPECT_TRUE(EnterWorkingFolder().ok());
  EXPECT_EQ(getenv("BUILD_WORKING_DIRECTORY"), nullptr);
  EXPECT_EQ(getenv("BUILD_WORKSPACE_DIRECTORY"), nullptr);
  EXPECT_STREQ(getenv("BUILD_NUMBER"), "7");
}

TEST_F(WorkingFolderTest, StaysWhereItIsOutsideBazelRun) {
  setenv("BUILD_WORKSPACE_DIRECTORY", "/w", 1);
  EXPECT_TRUE(EnterWorkingFolder().ok());
  EXPECT_EQ(Here(), start_);
  EXPECT_STREQ(getenv("BUILD_WORKSPACE_DIRECTORY"), "/w");
}

TEST_F(WorkingFolderTest, SaysThatTheFolderIsGone) {
  setenv("BUILD_WORKING_DIRECTORY", "/no/such", 1);
  EXPECT_EQ(EnterWorkingFolder().message(),
            "chdir \"/no/such\": No such file or directory");
  EXPECT_EQ(Here(), start_);
}

}  // namespace
}  // namespace troupe
