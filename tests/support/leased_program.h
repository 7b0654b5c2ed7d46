// A program whose exec blocks: this process holds a write lease on the file,
// and the kernel waits for it to give it up (fcntl(2); 45 s). Any user may run
// it.
//
//   LeasedProgram program;
//   if (!program.held()) GTEST_SKIP() << "no leases on this file system";
//   ... Spawn({.argv = {program.path()}}) on another thread hangs in exec
//   program.AwaitBlocked();
//
// The kernel says so by a signal to the thread that made the object; it is
// ignored by default. AwaitBlocked and the destructor are that thread's, too.
#ifndef TROUPE_TESTS_SUPPORT_LEASED_PROGRAM_H_
#define TROUPE_TESTS_SUPPORT_LEASED_PROGRAM_H_

#include <signal.h>

#include <string>

#include "io/owned_fd.h"
#include "tests/support/child_program.h"

namespace troupe {

class LeasedProgram {
 public:
  // A copy of `program`.
  explicit LeasedProgram(
      const std::string& program = ChildProgram("exit_with"));
  ~LeasedProgram();
  LeasedProgram(const LeasedProgram&) = delete;
  LeasedProgram& operator=(const LeasedProgram&) = delete;

  bool held() const { return held_; }
  const std::string& path() const { return path_; }

  // Until somebody's exec does.
  void AwaitBlocked();
  void GiveUp();

 private:
  sigset_t told_, before_;
  std::string folder_, path_;
  OwnedFd lease_;
  bool held_ = false;
};

}  // namespace troupe

#endif  // TROUPE_TESTS_SUPPORT_LEASED_PROGRAM_H_
