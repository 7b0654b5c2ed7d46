#include "examples/troupe/check.h"

#include <sstream>

#include "gtest/gtest.h"
#include "tests/support/scratch_folder.h"

namespace troupe {
namespace {

class CheckTest : public ::testing::Test {
 protected:
  int Run(const std::string& procfile) {
    return Check(CheckOptions{procfile}, out_, err_);
  }

  ScratchFolder folder_;
  std::ostringstream out_, err_;
};

TEST_F(CheckTest, NamesTheProcessesOfASoundProcfile) {
  std::string procfile = folder_.Write("P", "web: a\njob: b\n");
  EXPECT_EQ(Run(procfile), 0);
  EXPECT_EQ(out_.str(), procfile + ": sound; web, job\n");
  EXPECT_EQ(err_.str(), "");
}

TEST_F(CheckTest, TellsEachProblemOnALineOfItsOwn) {
  std::string procfile = folder_.Write("P", "web\njob:\n");
  folder_.Write(".env", "=1\n");
  EXPECT_EQ(Run(procfile), 2);
  EXPECT_EQ(out_.str(), "");
  EXPECT_EQ(err_.str(),
            procfile + ":1:1: no colon; expected `name: command`\n" + procfile +
                ":2:5: job has no command\n" + folder_.path() +
                "/.env:1:1: no name before the =; expected NAME=value\n");
}

TEST_F(CheckTest, SaysInOneLineThatAFileIsMissing) {
  EXPECT_EQ(Run("/no/such/Procfile"), 2);
  EXPECT_EQ(out_.str(), "");
  EXPECT_EQ(err_.str(),
            "troupe check: open \"/no/such/Procfile\": No such file or "
            "directory\n");
}

}  // namespace
}  // namespace troupe
