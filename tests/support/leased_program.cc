#include "tests/support/leased_program.h"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>

#include "tests/support/child_program.h"

namespace troupe {

LeasedProgram::LeasedProgram() {
  std::string pattern = "/tmp/leaseXXXXXX";
  folder_ = mkdtemp(pattern.data());
  path_ = folder_ + "/exit_with";
  {
    std::ofstream copy(path_, std::ios::binary);
    copy << std::ifstream(ChildProgram("exit_with"), std::ios::binary).rdbuf();
  }
  chmod(path_.c_str(), 0755);
  lease_ = OwnedFd(open(path_.c_str(), O_RDONLY | O_CLOEXEC));
  fcntl(lease_.get(), F_SETSIG, SIGWINCH);
  held_ = fcntl(lease_.get(), F_SETLEASE, F_WRLCK) == 0;
}

LeasedProgram::~LeasedProgram() {
  fcntl(lease_.get(), F_SETLEASE, F_UNLCK);
  unlink(path_.c_str());
  rmdir(folder_.c_str());
}

}  // namespace troupe
