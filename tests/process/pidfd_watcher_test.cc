#include "process/pidfd_watcher.h"

#include <signal.h>

#include <map>
#include <memory>
#include <string>
#include <thread>
#include <utility>

#include "absl/strings/str_cat.h"
#include "caf/exit_reason.hpp"
#include "caf/send.hpp"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "process/reap.h"
#include "process/spawn.h"
#include "tests/process/ran_child.h"
#include "tests/support/process_fixture.h"

namespace troupe {
namespace {

ChildObserver::behavior_type Listener(ChildObserver::pointer,
                                      std::shared_ptr<Trace> trace) {
  return {[=](const ChildExited& exited) {
    trace->Add(
        absl::StrCat(exited.pid, " ", exited.report.status.ReturnCode()));
  }};
}

class PidfdWatcherTest : public ProcessTest {
 protected:
  struct Watched {
    SpawnedChild child;
    SharedFd pidfd;
  };

  ~PidfdWatcherTest() override {
    for (auto& [pid, watched] : children_) {
      (void)SignalProcess(watched.pidfd->get(), SIGKILL);
      (void)AwaitExit(watched.pidfd->get());
      (void)Reap(watched.pidfd->get());
    }
    children_.clear();
  }

  ChildObserver NewListener() {
    return system_->spawn<caf::hidden>(Listener, trace_);
  }
  pid_t NewChild(std::vector<std::string> argv) {
    auto child = Spawn({.argv = std::move(argv), .stdin_from = Stdio::Pipe()});
    EXPECT_TRUE(child.ok());
    pid_t pid = child->pid;
    auto pidfd = std::make_shared<const OwnedFd>(std::move(child->pidfd));
    children_[pid] = {*std::move(child), pidfd};
    return pid;
  }
  absl::Status Watch(pid_t pid, ChildObserver observer) {
    return Ask<WatchingChild>(watcher_,
                              WatchChild{pid, children_[pid].pidfd, observer})
        .status();
  }
  void End(pid_t pid) { children_[pid].child.stdin_pipe.Close(); }

  std::map<pid_t, Watched> children_;
};

TEST_F(PidfdWatcherTest, TellsEachExitOnceAndLeavesTheZombie) {
  pid_t a = NewChild({ChildProgram("copy_input")});
  pid_t b = NewChild({ChildProgram("copy_input")});
  auto listener = NewListener();
  ASSERT_TRUE(Watch(a, listener).ok());
  ASSERT_TRUE(Watch(b, listener).ok());
  End(b);
  ASSERT_TRUE(trace_->WaitFor(absl::StrCat(b, " 0")));
  EXPECT_EQ(StateOf(b), 'Z');
  EXPECT_EQ(trace_->events().size(), 1u);
  (void)SignalProcess(children_[a].pidfd->get(), SIGTERM);
  ASSERT_TRUE(trace_->WaitFor(absl::StrCat(a, " -15")));
  EXPECT_EQ(trace_->events().size(), 2u);
}

TEST_F(PidfdWatcherTest, TellsOfAChildThatHadExitedBefore) {
  pid_t a = NewChild({ChildProgram("exit_with"), "3"});
  ASSERT_TRUE(AwaitExit(children_[a].pidfd->get()).ok());
  ASSERT_TRUE(Watch(a, NewListener()).ok());
  ASSERT_TRUE(trace_->WaitFor(absl::StrCat(a, " 3")));
}

TEST_F(PidfdWatcherTest, ReapsWhenTold) {
  pid_t a = NewChild({ChildProgram("exit_with"), "0"});
  ASSERT_TRUE(Watch(a, NewListener()).ok());
  ASSERT_TRUE(trace_->WaitFor(absl::StrCat(a, " 0")));
  caf::anon_send(watcher_, ReapChild{a});
  caf::anon_send(watcher_, ReapChild{a});
  EXPECT_TRUE(WaitUntilGone(a));
}

// A child that runs is not killed by a mistaken ReapChild.
TEST_F(PidfdWatcherTest, IsNoKiller) {
  pid_t a = NewChild({ChildProgram("copy_input")});
  ASSERT_TRUE(Watch(a, NewListener()).ok());
  caf::anon_send(watcher_, ReapChild{a});
  caf::anon_send(watcher_, ReapChild{1});
  pid_t b = NewChild({ChildProgram("exit_with"), "0"});
  ASSERT_TRUE(Watch(b, NewListener()).ok());
  ASSERT_TRUE(trace_->WaitFor(absl::StrCat(b, " 0")));
  EXPECT_NE(StateOf(a), 'Z');
  EXPECT_NE(StateOf(a), '-');
}

TEST_F(PidfdWatcherTest, RefusesASecondWatchOfOneChild) {
  pid_t a = NewChild({ChildProgram("copy_input")});
  ASSERT_TRUE(Watch(a, NewListener()).ok());
  absl::Status second = Watch(a, NewListener());
  EXPECT_TRUE(absl::IsAlreadyExists(second));
  EXPECT_EQ(second.message(), absl::StrCat("child ", a, " is watched already"));
  End(a);
  ASSERT_TRUE(trace_->WaitFor(absl::StrCat(a, " 0")));
}

// An observer that watches two children and has seen the end of one is still
// somebody whose death ends a watch.
TEST_F(PidfdWatcherTest, ForgetsAllChildrenOfADeadObserver) {
  pid_t a = NewChild({ChildProgram("exit_with"), "0"});
  pid_t b = NewChild({ChildProgram("copy_input")});
  auto listener = NewListener();
  ASSERT_TRUE(Watch(b, listener).ok());
  ASSERT_TRUE(Watch(a, listener).ok());
  ASSERT_TRUE(trace_->WaitFor(absl::StrCat(a, " 0")));
  caf::anon_send(watcher_, ReapChild{a});
  EXPECT_TRUE(WaitUntilGone(a));
  caf::anon_send_exit(listener, caf::exit_reason::kill);
  auto heir = NewListener();
  int tries = 0;
  while (!Watch(b, heir).ok()) {
    ASSERT_LT(++tries, 10000);
    std::this_thread::yield();
  }
  End(b);
  ASSERT_TRUE(trace_->WaitFor(absl::StrCat(b, " 0")));
}

// Somebody else reaps it: the end is told, how is not known.
TEST_F(PidfdWatcherTest, AStatusThatSomebodyElseTookIsLost) {
  pid_t a = NewChild({ChildProgram("exit_with"), "3"});
  ASSERT_TRUE(AwaitExit(children_[a].pidfd->get()).ok());
  ASSERT_TRUE(Reap(children_[a].pidfd->get()).ok());
  ASSERT_TRUE(Watch(a, NewListener()).ok());
  ASSERT_TRUE(trace_->WaitFor(absl::StrCat(a, " 255")));
}

// V-rows of the watchers: a stranger's child is nobody's business.
TEST_F(PidfdWatcherTest, DoesNotReapAnotherOwnersChild) {
  pid_t a = NewChild({ChildProgram("exit_with"), "0"});
  pid_t stranger = NewChild({ChildProgram("exit_with"), "5"});
  ASSERT_TRUE(AwaitExit(children_[stranger].pidfd->get()).ok());
  ASSERT_TRUE(Watch(a, NewListener()).ok());
  ASSERT_TRUE(trace_->WaitFor(absl::StrCat(a, " 0")));
  caf::anon_send(watcher_, ReapChild{a});
  EXPECT_TRUE(WaitUntilGone(a));
  auto report = Reap(children_[stranger].pidfd->get());
  ASSERT_TRUE(report.ok());
  EXPECT_EQ(report->status, ExitStatus::Exited(5));
}

}  // namespace
}  // namespace troupe
