// What only the threaded watcher has; every_watcher.h is for what all have.
#include "process/threaded_watcher.h"

#include <signal.h>

#include <string>
#include <vector>

#include "caf/send.hpp"
#include "gtest/gtest.h"
#include "tests/process/watcher_fixture.h"

namespace troupe {
namespace {

class ThreadedWatcherTest : public WatcherTest {
 protected:
  void SetUp() override { Use(WatcherKind::kThreaded); }
};

// Row C25; all codes right with 200 at once (C26).
TEST_F(ThreadedWatcherTest, HasAThreadForEachChild) {
  const int before = ThreadCount();
  auto listener = NewListener();
  std::vector<pid_t> pids;
  for (int i = 0; i < 200; ++i) {
    pids.push_back(NewChild());
    ASSERT_EQ(Watch(pids.back(), listener), "");
  }
  EXPECT_EQ(ThreadCount(), before + 200);
  for (pid_t pid : pids) End(pid);
  for (pid_t pid : pids) ASSERT_TRUE(trace_->WaitFor(Told(pid, 0)));
  EXPECT_EQ(trace_->events().size(), 200u);
  EXPECT_EQ(Info().watched, 0u);
}

// Rows C9, C10, V17: a thread is taken back at once, though its child never
// ends, and a second observer brings no second thread.
TEST_F(ThreadedWatcherTest, TakesThreadsBackFromChildrenThatRunOn) {
  const int before = ThreadCount();
  pid_t a = NewChild(), b = NewChild(), c = NewChild();
  for (pid_t pid : {a, b, c}) ASSERT_EQ(Watch(pid), "");
  ASSERT_EQ(Watch(a, NewListener(), /*replace=*/true), "");
  EXPECT_TRUE(Unwatch(a));
  EXPECT_TRUE(Close().ok());
  // The kernel lists a thread that was joined for a moment more.
  for (int tries = 0; ThreadCount() > before && tries < 100000; ++tries) {
    (void)Info();
  }
  EXPECT_EQ(ThreadCount(), before);
}

// Without descriptors of any kind: what is left where pidfds are forbidden.
TEST_F(ThreadedWatcherTest, NeedsNoDescriptorForAChildKnownByItsPid) {
  pid_t a = NewChild();
  const size_t before = OpenDescriptors().size();
  ASSERT_EQ(WatchByPid(a), "");
  EXPECT_EQ(OpenDescriptors().size(), before);
  Kill(a, SIGKILL);
  ASSERT_TRUE(trace_->WaitFor(Told(a, -9)));
}

// The handle of its threads keeps it while a child runs, and no longer.
TEST_F(ThreadedWatcherTest, LivesUntilItsLastChildIsTold) {
  pid_t a = NewChild();
  ASSERT_EQ(Watch(a), "");
  watcher_ = ChildWatcher();
  End(a);
  ASSERT_TRUE(trace_->WaitFor(Told(a, 0)));
}

}  // namespace
}  // namespace troupe
