#include "tests/support/leased_program.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <fstream>

#include "io/thread_mask.h"

namespace troupe {

LeasedProgram::LeasedProgram(const std::string& program)
    : told_(OnlySignal(SIGWINCH)) {
  pthread_sigmask(SIG_BLOCK, &told_, &before_);
  std::string pattern = "/tmp/leaseXXXXXX";
  folder_ = mkdtemp(pattern.data());
  chmod(folder_.c_str(), 0755);
  path_ = folder_ + "/program";
  {
    std::ofstream copy(path_, std::ios::binary);
    copy << std::ifstream(program, std::ios::binary).rdbuf();
  }
  chmod(path_.c_str(), 0755);
  lease_ = OwnedFd(open(path_.c_str(), O_RDONLY | O_CLOEXEC));
  const f_owner_ex owner = {F_OWNER_TID, gettid()};
  fcntl(lease_.get(), F_SETOWN_EX, &owner);
  fcntl(lease_.get(), F_SETSIG, SIGWINCH);
  held_ = fcntl(lease_.get(), F_SETLEASE, F_WRLCK) == 0;
}

LeasedProgram::~LeasedProgram() {
  GiveUp();
  const timespec now = {};
  while (sigtimedwait(&told_, nullptr, &now) == SIGWINCH) {
  }
  pthread_sigmask(SIG_SETMASK, &before_, nullptr);
  unlink(path_.c_str());
  rmdir(folder_.c_str());
}

void LeasedProgram::AwaitBlocked() {
  while (sigwaitinfo(&told_, nullptr) != SIGWINCH) {
  }
}

void LeasedProgram::GiveUp() { fcntl(lease_.get(), F_SETLEASE, F_UNLCK); }

}  // namespace troupe
