// For suites that all five watchers are held to: each test runs with each kind.
//
//   class WatcherExitsTest : public EveryWatcherTest {};
//   INSTANTIATE_TEST_SUITE_P(All, WatcherExitsTest,
//                            ::testing::ValuesIn(kEveryKind), NameOfKind);
//
// Where the kinds differ a test has a table, asks kind() or IsAnyOf().
#ifndef TROUPE_TESTS_PROCESS_EVERY_WATCHER_H_
#define TROUPE_TESTS_PROCESS_EVERY_WATCHER_H_

#include <sys/types.h>

#include <string>

#include "gtest/gtest.h"
#include "process/child_watcher.h"
#include "tests/process/watcher_fixture.h"

namespace troupe {

inline constexpr WatcherKind kPidfd = WatcherKind::kPidfd;
inline constexpr WatcherKind kSafe = WatcherKind::kSafe;
inline constexpr WatcherKind kFast = WatcherKind::kFast;
inline constexpr WatcherKind kMultiLoop = WatcherKind::kMultiLoop;
inline constexpr WatcherKind kThreaded = WatcherKind::kThreaded;

inline constexpr WatcherKind kEveryKind[] = {kPidfd, kSafe, kFast, kMultiLoop,
                                             kThreaded};

inline std::string NameOfKind(
    const ::testing::TestParamInfo<WatcherKind>& kind) {
  return NameOf(kind.param);
}

// No process can have it: it is the kernel's limit (proc(5), pid_max).
inline constexpr pid_t kNoSuchPid = 4 * 1024 * 1024;

class EveryWatcherTest : public WatcherTest,
                         public ::testing::WithParamInterface<WatcherKind> {
 protected:
  void SetUp() override { Use(GetParam()); }

  // Returns when another child's exit was watched and told from start to end,
  // so that whatever came before has been handled.
  void RunAnother() {
    pid_t other = NewChild();
    ASSERT_EQ(Watch(other), "");
    End(other);
    ASSERT_TRUE(trace_->WaitFor(Told(other, 0)));
  }
};

}  // namespace troupe

#endif  // TROUPE_TESTS_PROCESS_EVERY_WATCHER_H_
