#include "process/exit_waiter.h"

#include <pthread.h>
#include <signal.h>

#include <atomic>
#include <future>

#include "gtest/gtest.h"
#include "tests/process/ran_child.h"
#include "tests/support/child_program.h"
#include "tests/support/leak_check.h"

namespace troupe {
namespace {

class ExitWaiterTest : public LeakCheckedTest {
 protected:
  void SetUp() override {
    auto child = Spawn(
        {.argv = {ChildProgram("copy_input")}, .stdin_from = Stdio::Pipe()});
    ASSERT_TRUE(child.ok()) << child.status();
    child_ = *std::move(child);
  }
  ~ExitWaiterTest() override { EndOf(&child_); }

  SpawnedChild child_;
};

TEST_F(ExitWaiterTest, CallsWhenTheChildHasEndedAndLeavesTheZombie) {
  std::promise<void> over;
  auto waiter =
      ExitWaiter::Start(ChildId::ByPid(child_.pid), [&] { over.set_value(); });
  ASSERT_TRUE(waiter.ok()) << waiter.status();
  child_.stdin_pipe.Close();
  over.get_future().wait();
  auto report = PollExit(child_.id());
  ASSERT_TRUE(report.ok() && report->has_value());
  EXPECT_EQ((*report)->status, ExitStatus::Exited(0));
}

TEST_F(ExitWaiterTest, CallsForWhoIsNoChild) {
  std::promise<void> over;
  auto waiter = ExitWaiter::Start(ChildId::ByPid(1), [&] { over.set_value(); });
  ASSERT_TRUE(waiter.ok());
  over.get_future().wait();
}

// Row V17: before it waits, while it does, and while the child ends.
TEST_F(ExitWaiterTest, EndsAtOnceThoughTheChildRuns) {
  std::atomic<int> calls = 0;
  for (int round = 0; round < 200; ++round) {
    auto waiter = ExitWaiter::Start(ChildId::ByPidfd(child_.pidfd.get()),
                                    [&] { ++calls; });
    ASSERT_TRUE(waiter.ok());
  }
  EXPECT_EQ(calls, 0);
  auto waiter =
      ExitWaiter::Start(ChildId::ByPidfd(child_.pidfd.get()), [&] { ++calls; });
  ASSERT_TRUE(waiter.ok());
  child_.stdin_pipe.Close();
  waiter->reset();
  EXPECT_LE(calls, 1);
}

// Row C25: hundreds of them cost little address space; glibc's are 8 MiB.
TEST_F(ExitWaiterTest, HasASmallStack) {
  std::promise<size_t> size;
  auto waiter = ExitWaiter::Start(ChildId::ByPid(1), [&] {
    pthread_attr_t attributes;
    pthread_getattr_np(pthread_self(), &attributes);
    size_t found = 0;
    pthread_attr_getstacksize(&attributes, &found);
    pthread_attr_destroy(&attributes);
    size.set_value(found);
  });
  ASSERT_TRUE(waiter.ok());
  EXPECT_LE(size.get_future().get(), 256 * 1024u);
}

// The program's handlers run on the program's threads.
TEST_F(ExitWaiterTest, TakesNoSignals) {
  std::promise<bool> blocked;
  auto waiter = ExitWaiter::Start(ChildId::ByPid(1), [&] {
    sigset_t mask;
    pthread_sigmask(SIG_SETMASK, nullptr, &mask);
    blocked.set_value(sigismember(&mask, SIGCHLD) == 1 &&
                      sigismember(&mask, SIGTERM) == 1);
  });
  ASSERT_TRUE(waiter.ok());
  EXPECT_TRUE(blocked.get_future().get());
  sigset_t mask;
  pthread_sigmask(SIG_SETMASK, nullptr, &mask);
  EXPECT_EQ(sigismember(&mask, SIGTERM), 0);
}

}  // namespace
}  // namespace troupe
