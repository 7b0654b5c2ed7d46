// A program whose exec blocks: this process holds a write lease on the file,
// and the kernel waits for it to give it up (fcntl(2); 45 s).
//
//   LeasedProgram program;
//   if (!program.held()) GTEST_SKIP() << "no leases on this file system";
//   ... Spawn({.argv = {program.path()}}) hangs in exec
//
// The signal the kernel sends to us for it is one that is ignored by default.
#ifndef TROUPE_TESTS_SUPPORT_LEASED_PROGRAM_H_
#define TROUPE_TESTS_SUPPORT_LEASED_PROGRAM_H_

#include <string>

#include "io/owned_fd.h"

namespace troupe {

class LeasedProgram {
 public:
  LeasedProgram();
  ~LeasedProgram();
  LeasedProgram(const LeasedProgram&) = delete;
  LeasedProgram& operator=(const LeasedProgram&) = delete;

  bool held() const { return held_; }
  const std::string& path() const { return path_; }

 private:
  std::string folder_, path_;
  OwnedFd lease_;
  bool held_ = false;
};

}  // namespace troupe

#endif  // TROUPE_TESTS_SUPPORT_LEASED_PROGRAM_H_
