#include "process/program_path.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace troupe {
namespace {

using ::testing::ElementsAre;

TEST(ProgramPathTest, TakesANameWithASlashAsItIs) {
  EXPECT_THAT(ProgramCandidates("./a", "/bin"), ElementsAre("./a"));
  EXPECT_THAT(ProgramCandidates("/a", std::nullopt), ElementsAre("/a"));
}

TEST(ProgramPathTest, LooksInEachFolderInOrder) {
  EXPECT_THAT(ProgramCandidates("a", "/x:y:/z/"),
              ElementsAre("/x/a", "y/a", "/z//a"));
}

TEST(ProgramPathTest, TakesAnEmptyFolderAsTheCurrentOne) {
  EXPECT_THAT(ProgramCandidates("a", "/x::"),
              ElementsAre("/x/a", "./a", "./a"));
  EXPECT_THAT(ProgramCandidates("a", ""), ElementsAre("./a"));
}

TEST(ProgramPathTest, HasADefaultPath) {
  EXPECT_THAT(ProgramCandidates("a", std::nullopt),
              ElementsAre("/bin/a", "/usr/bin/a"));
}

}  // namespace
}  // namespace troupe
