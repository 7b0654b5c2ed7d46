// Many processes: "done when" 5 of the main job. The fixture compares
// descriptors, threads and children with those of the start.
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <chrono>
#include <memory>
#include <random>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "caf/send.hpp"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "io/owned_fd.h"
#include "process/descriptor_limit.h"
#include "process/reap.h"
#include "process/subprocess.h"
#include "tests/support/process_fixture.h"

namespace troupe {
namespace {

using std::chrono::milliseconds;

class ProcessesStressTest : public ProcessTest {
 protected:
  static StartProcess InGroup(StartProcess start) {
    start.command.group = ProcessGroup::kNewGroup;
    return start;
  }
};

TEST_F(ProcessesStressTest, TenThousandOneAfterAnotherEachExitOnce) {
  constexpr size_t kProcesses = 10000;
  size_t descriptors = 0;
  for (size_t i = 0; i < kProcesses; ++i) {
    Subprocess child = NewSubprocess();
    StartProcess start = i % 2 == 0 ? Quiet({ChildProgram("exit_with"), "0"})
                                    : Piped({ChildProgram("exit_with"), "0"});
    ASSERT_EQ(Start(child, std::move(start)), "");
    ASSERT_TRUE(Ask<ProcessEnded>(child, WaitForEnd{}).ok());
    if (i == 100) descriptors = OpenDescriptors().size();
  }
  // Nothing grows with the number of processes; the last may be on its way out.
  EXPECT_LE(OpenDescriptors().size(), descriptors + 8);
  ASSERT_TRUE(trace_->WaitFor("CL", kProcesses));
  EXPECT_EQ(trace_->Count("CM"), kProcesses);
  EXPECT_EQ(trace_->Count("EXIT 0"), kProcesses);
  EXPECT_EQ(trace_->Count("CL"), kProcesses);
}

TEST_F(ProcessesStressTest, FiveHundredAtTheSameTimeEachExitOnce) {
  constexpr size_t kProcesses = 500;
  ASSERT_TRUE(RaiseDescriptorLimit().ok());
  std::vector<Subprocess> children;
  for (size_t i = 0; i < kProcesses; ++i) {
    children.push_back(NewSubprocess());
    StartProcess start = InGroup(Piped({ChildProgram("wait_for_eof")}));
    start.observer = NewObserver();
    caf::anon_send(children.back(), std::move(start));
  }
  ASSERT_TRUE(trace_->WaitFor("DATA 1 'r'", kProcesses));
  EXPECT_EQ(trace_->Count("EXIT 0"), 0u);
  EXPECT_EQ(Children().size(), kProcesses);
  for (const Subprocess& child : children) {
    caf::anon_send(child, CloseStdin{});
  }
  ASSERT_TRUE(trace_->WaitFor("CL", kProcesses));
  EXPECT_EQ(trace_->Count("CM"), kProcesses);
  EXPECT_EQ(trace_->Count("EXIT 0"), kProcesses);
  EXPECT_EQ(trace_->Count("CL"), kProcesses);
}

// All at once, by plan: the spawner lists groups for all of them.
TEST_F(ProcessesStressTest, ThreeHundredStoppedAtTheSameTime) {
  constexpr size_t kProcesses = 300;
  ASSERT_TRUE(RaiseDescriptorLimit().ok());
  std::vector<Subprocess> children;
  for (size_t i = 0; i < kProcesses; ++i) {
    children.push_back(NewSubprocess());
    StartProcess start = InGroup(
        Piped({ChildProgram(i % 2 == 0 ? "wait_for_eof" : "ignore_sigterm")}));
    start.stop_plan.rungs = {{SIGTERM, milliseconds(200)}, {SIGKILL}};
    start.observer = NewObserver();
    caf::anon_send(children.back(), std::move(start));
  }
  ASSERT_TRUE(trace_->WaitFor("DATA 1 'r'", kProcesses));
  for (const Subprocess& child : children) {
    AskLater<ProcessExited>("stop", child, StopProcess{});
  }
  ASSERT_TRUE(trace_->WaitFor("stop: EXIT -15", kProcesses / 2));
  ASSERT_TRUE(trace_->WaitFor("stop: EXIT -9", kProcesses / 2));
  ASSERT_TRUE(trace_->WaitFor("CL", kProcesses));
  EXPECT_EQ(trace_->Count("EXIT -15"), kProcesses / 2);
  EXPECT_EQ(trace_->Count("EXIT -9"), kProcesses / 2);
}

// kill -9 by a stranger at a random moment of the stop, 200 rounds with four
// children each.
TEST_F(ProcessesStressTest, StrangersKillsRaceTheStop) {
  constexpr int kRounds = 200, kChildren = 4;
  std::mt19937 random(1);
  for (int round = 1; round <= kRounds; ++round) {
    trace_ = std::make_shared<Trace>();
    std::vector<Subprocess> children;
    std::vector<OwnedFd> pidfds;
    for (int i = 0; i < kChildren; ++i) {
      children.push_back(NewSubprocess());
      StartProcess start = InGroup(Piped(
          {ChildProgram(i % 2 == 0 ? "wait_for_eof" : "ignore_sigterm")}));
      start.stop_plan.rungs = {{SIGTERM, milliseconds(2)}, {SIGKILL}};
      ASSERT_EQ(Start(children.back(), std::move(start)), "");
      pidfds.emplace_back(static_cast<int>(syscall(SYS_pidfd_open, pid_, 0)));
      ASSERT_TRUE(pidfds.back().valid());
    }
    auto pause = std::chrono::microseconds(random() % 3000);
    std::thread stranger([&] {
      auto end = std::chrono::steady_clock::now() + pause;
      while (std::chrono::steady_clock::now() < end) std::this_thread::yield();
      for (const OwnedFd& pidfd : pidfds) {
        (void)SignalProcess(pidfd.get(), SIGKILL);
      }
    });
    for (const Subprocess& child : children) {
      AskLater<ProcessExited>("stop", child, StopProcess{});
    }
    ASSERT_TRUE(trace_->WaitFor("CL", kChildren));
    ASSERT_TRUE(trace_->WaitUntil([&](const std::vector<std::string>& events) {
      int stops = 0;
      for (const std::string& event : events) {
        stops += event == "stop: EXIT -9" || event == "stop: EXIT -15";
      }
      return stops == kChildren;
    }));
    stranger.join();
    ASSERT_EQ(trace_->Count("EXIT -9") + trace_->Count("EXIT -15"),
              static_cast<size_t>(kChildren));
  }
}

}  // namespace
}  // namespace troupe
