// What tests of a child's descriptors share: files in a folder of the test's.
#ifndef TROUPE_TESTS_PROCESS_SPAWN_FILES_H_
#define TROUPE_TESTS_PROCESS_SPAWN_FILES_H_

#include <fcntl.h>

#include <fstream>
#include <sstream>
#include <string>

#include "io/owned_fd.h"
#include "tests/support/leak_check.h"
#include "tests/support/scratch_folder.h"

namespace troupe {

class SpawnFilesTest : public LeakCheckedTest {
 protected:
  std::string Path(const std::string& name) const {
    return folder_.PathOf(name);
  }

  static std::string Content(const std::string& path) {
    std::stringstream content;
    content << std::ifstream(path).rdbuf();
    return content.str();
  }

  static OwnedFd OpenToWrite(const std::string& path) {
    return OwnedFd(open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
  }

 private:
  ScratchFolder folder_;
};

}  // namespace troupe

#endif  // TROUPE_TESTS_PROCESS_SPAWN_FILES_H_
