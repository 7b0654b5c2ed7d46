// Which loop and which child watcher a policy gives (rows PO1 to PO7).
#include "actors/policy.h"

#include <pthread.h>
#include <sys/wait.h>
#include <unistd.h>

#include <memory>
#include <string>
#include <thread>
#include <utility>

#include "caf/scoped_actor.hpp"
#include "caf/typed_event_based_actor.hpp"
#include "gtest/gtest.h"
#include "io/status_error.h"
#include "process/pidfd_watcher.h"
#include "process/process_messages.h"
#include "process/subprocess.h"
#include "tests/support/child_program.h"
#include "tests/support/loop_fixture.h"

namespace troupe {
namespace {

class PolicyTest : public LoopFixture {
 protected:
  PolicyTest() : policy_(std::make_unique<LoopPolicy>(*system_)) {}
  ~PolicyTest() override { policy_.reset(); }

  std::shared_ptr<Loop> New() {
    auto loop = policy_->NewLoop();
    EXPECT_TRUE(loop.ok()) << loop.status();
    return *std::move(loop);
  }

  Loop* Get() {
    auto loop = policy_->GetLoop();
    return loop.ok() ? *loop : nullptr;
  }

  // How a child ends that is started with these services.
  std::string ExitWith(const ProcessServices& services,
                       const std::string& code) {
    caf::scoped_actor self(*actors_);
    ProcessObserver observer = actors_->spawn([](ProcessObserver::pointer me) {
      return ProcessObserver::behavior_type{
          [](const ProcessStarted&) {},
          [](const ProcessOutput&) {},
          [](const StreamClosed&) {},
          [](const ProcessExited&) {},
          [=](const ProcessEnded&) { me->quit(); },
          [](const PauseWriting&) {},
          [](const ResumeWriting&) {}};
    });
    Subprocess child = SpawnSubprocess(services);
    StartProcess start{.command = {.argv = {ChildProgram("exit_with"), code}},
                       .observer = observer};
    std::string ended;
    auto failed = [&](const caf::error& why) {
      ended = std::string(StatusOf(why).message());
    };
    self->request(child, caf::infinite, start)
        .receive([](const ProcessStarted&) {}, failed);
    self->request(child, caf::infinite, WaitForExit{})
        .receive(
            [&](const ProcessExited& exited) {
              ended = exited.report.status.ToString();
            },
            failed);
    return ended;
  }

  std::unique_ptr<LoopPolicy> policy_;
};

// Row PO5.
TEST_F(PolicyTest, MakesALoopForTheMainThreadOnce) {
  Loop* loop = Get();
  ASSERT_NE(loop, nullptr);
  EXPECT_NE(loop, loop_.get());
  EXPECT_EQ(Get(), loop);
  bool ran = false;
  loop->CallSoon([&] {
    ran = true;
    loop->Stop();
  });
  ASSERT_TRUE(loop->RunForever().ok());
  EXPECT_TRUE(ran);
}

// Row PO5.
TEST_F(PolicyTest, MakesNoneAfterSetLoopToNone) {
  policy_->SetLoop(nullptr);
  EXPECT_EQ(Get(), nullptr);
}

// As in asyncio: whoever runs it holds it.
TEST_F(PolicyTest, KeepsALoopThatIsReplacedWhileItRuns) {
  std::weak_ptr<Loop> running;
  {
    std::shared_ptr<Loop> made = New();
    running = made;
    policy_->SetLoop(std::move(made));
  }
  Loop* loop = Get();
  loop->CallSoon([&] {
    policy_->SetLoop(nullptr);
    EXPECT_EQ(Get(), loop);
    loop->Stop();
  });
  ASSERT_TRUE(loop->RunForever().ok());
  EXPECT_EQ(Get(), nullptr);
  policy_->SetLoop(nullptr);
  EXPECT_TRUE(running.expired());
}

// Row PO5: it runs in the parent.
TEST_F(PolicyTest, GivesNoRunningLoopInAForkedChild) {
  int status = -1;
  loop_->CallSoon([&] {
    const pid_t child = fork();
    if (child == 0) _exit(Loop::Running() == nullptr ? 0 : 1);
    waitpid(child, &status, 0);
    loop_->Stop();
  });
  Run();
  EXPECT_EQ(status, 0);
}

// Row PO5.
TEST_F(PolicyTest, RefusesOnOtherThreadsWithAsynciosText) {
  ASSERT_NE(Get(), nullptr);  // the main thread's is not theirs
  absl::Status refused;
  std::thread([&] {
    pthread_setname_np(pthread_self(), "worker");
    refused = policy_->GetLoop().status();
  }).join();
  EXPECT_EQ(refused, absl::FailedPreconditionError(
                         "There is no current event loop in thread 'worker'."));
}

// Row PO5.
TEST_F(PolicyTest, GivesTheRunningLoopFirst) {
  std::shared_ptr<Loop> set = New();
  policy_->SetLoop(set);
  Loop* inside = nullptr;
  loop_->CallSoon([&] {
    inside = Get();
    loop_->Stop();
  });
  Run();
  EXPECT_EQ(inside, loop_.get());
  EXPECT_EQ(Get(), set.get());
}

// Row PO4.
TEST_F(PolicyTest, KeepsALoopForEachThread) {
  std::shared_ptr<Loop> ours = New();
  policy_->SetLoop(ours);
  Loop* set = nullptr;
  Loop* got = nullptr;
  std::thread([&] {
    std::shared_ptr<Loop> theirs = New();
    policy_->SetLoop(theirs);
    set = theirs.get();
    got = Get();
  }).join();
  EXPECT_EQ(got, set);
  EXPECT_NE(got, ours.get());
  EXPECT_EQ(Get(), ours.get());
}

// A loop that nobody else has goes with its thread, and no other thread gets
// it.
TEST_F(PolicyTest, LetsALoopGoWithItsThread) {
  std::weak_ptr<Loop> loop;
  std::thread([&] {
    std::shared_ptr<Loop> made = New();
    loop = made;
    policy_->SetLoop(std::move(made));
  }).join();
  EXPECT_TRUE(loop.expired());
  bool none = false;
  std::thread([&] { none = Get() == nullptr; }).join();
  EXPECT_TRUE(none);
}

// Also those of threads that go on, and a policy made later starts anew.
TEST_F(PolicyTest, LetsItsLoopsGoWithItself) {
  std::weak_ptr<Loop> loop;
  {
    std::shared_ptr<Loop> made = New();
    loop = made;
    policy_->SetLoop(std::move(made));
  }
  EXPECT_FALSE(loop.expired());
  policy_.reset();
  EXPECT_TRUE(loop.expired());
  policy_ = std::make_unique<LoopPolicy>(*system_);
  EXPECT_NE(Get(), nullptr);
}

// Row PO6.
TEST_F(PolicyTest, MakesANewLoopEachTimeAndSetsNone) {
  std::shared_ptr<Loop> one = New();
  std::shared_ptr<Loop> two = New();
  EXPECT_NE(one, two);
  policy_->SetLoop(nullptr);
  EXPECT_EQ(Get(), nullptr);
}

// Rows PO1, PO2.
TEST_F(PolicyTest, GivesTheSystemsWatcherEachTime) {
  EXPECT_EQ(policy_->GetChildWatcher(), system_->processes().watcher);
  EXPECT_EQ(policy_->GetChildWatcher(), policy_->GetChildWatcher());
  EXPECT_EQ(policy_->processes().watcher, policy_->GetChildWatcher());
}

// Row PO3.
TEST_F(PolicyTest, StartsChildrenWithTheWatcherThatWasSet) {
  ChildWatcher other =
      SpawnPidfdWatcher(system_->io().host(), system_->io().actor());
  policy_->SetChildWatcher(other);
  EXPECT_EQ(policy_->GetChildWatcher(), other);
  EXPECT_EQ(policy_->processes().watcher, other);
  EXPECT_EQ(ExitWith(policy_->processes(), "3"), "exit code 3");
  policy_->SetChildWatcher(ChildWatcher());
  EXPECT_EQ(policy_->GetChildWatcher(), system_->processes().watcher);
}

// Row PO3: asyncio closes it, and its children's exits are never told.
TEST_F(PolicyTest, LetsAReplacedWatcherFinish) {
  policy_->SetChildWatcher(
      SpawnPidfdWatcher(system_->io().host(), system_->io().actor()));
  const ProcessServices before = policy_->processes();
  policy_->SetChildWatcher(ChildWatcher());
  EXPECT_EQ(ExitWith(before, "4"), "exit code 4");
}

// Row PO4: a watcher is an actor; no loop needs to be attached to it.
TEST_F(PolicyTest, WatchesChildrenWhateverLoopIsSet) {
  policy_->SetLoop(New());
  EXPECT_EQ(ExitWith(policy_->processes(), "5"), "exit code 5");
  policy_->SetLoop(nullptr);
  EXPECT_EQ(ExitWith(policy_->processes(), "6"), "exit code 6");
}

// Row PO7.
TEST_F(PolicyTest, IsTheDefaultOnlyWhenNamedAndWhileItLives) {
  EXPECT_EQ(LoopPolicy::Default(), nullptr);
  LoopPolicy::SetDefault(policy_.get());
  EXPECT_EQ(LoopPolicy::Default(), policy_.get());
  { LoopPolicy other(*system_); }  // the end of another one is nothing
  EXPECT_EQ(LoopPolicy::Default(), policy_.get());
  policy_.reset();
  EXPECT_EQ(LoopPolicy::Default(), nullptr);
}

}  // namespace
}  // namespace troupe
