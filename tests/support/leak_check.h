// What a test may not leave behind: descriptors, threads, children.
//
//   class SpawnTest : public LeakCheckedTest {};
//
// The counts are taken when the fixture is built and compared after the test's
// own members are gone. A thread that has been joined may be listed for a
// moment more, so threads are given a bounded time to go; nothing else is.
#ifndef TROUPE_TESTS_SUPPORT_LEAK_CHECK_H_
#define TROUPE_TESTS_SUPPORT_LEAK_CHECK_H_

#include <string>
#include <vector>

#include "gtest/gtest.h"

namespace troupe {

// The open descriptors of this process, as `number -> target`.
std::vector<std::string> OpenDescriptors();

// Threads of this process, the caller's included.
int ThreadCount();

// Children of any thread of this process, zombies included, as `pid state
// comm`.
std::vector<std::string> Children();

class LeakCheckedTest : public ::testing::Test {
 protected:
  LeakCheckedTest();
  ~LeakCheckedTest() override;

 private:
  std::vector<std::string> descriptors_;
  int threads_;
  std::vector<std::string> children_;
};

}  // namespace troupe

#endif  // TROUPE_TESTS_SUPPORT_LEAK_CHECK_H_
