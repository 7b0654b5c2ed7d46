// Many processes: "done when" 5 of the main job. The fixture compares
// descriptors, threads and children with those of the start.
#include <signal.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <chrono>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "caf/send.hpp"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "io/owned_fd.h"
#include "process/descriptor_limit.h"
#include "process/reap.h"
#include "process/subprocess.h"
#include "tests/stress/outcomes.h"
#include "tests/support/leak_check.h"
#include "tests/support/process_fixture.h"
#include "tests/support/sanitized.h"
#include "tests/support/scratch_folder.h"

namespace troupe {
namespace {

using std::chrono::milliseconds;

class ProcessesStressTest : public ProcessTest {
 protected:
  static StartProcess InGroup(StartProcess start) {
    start.command.group = ProcessGroup::kNewGroup;
    return start;
  }

  // Ends by itself.
  static StartProcess GoodStart(size_t number) {
    const std::vector<std::string> argv = {ChildProgram("exit_with_pid")};
    StartProcess start = number % 2 == 0 ? Quiet(argv) : Piped(argv);
    start.command.stdin_from = Stdio::Null();
    return start;
  }

  struct FailingStart {
    StartProcess start;
    std::string outcome;
  };
  static std::vector<FailingStart> FailingStarts(const ScratchFolder& folder);
};

std::vector<ProcessesStressTest::FailingStart>
ProcessesStressTest::FailingStarts(const ScratchFolder& folder) {
  const std::string text = folder.Write("text", "no program");
  const std::string mute = folder.Write("mute", "#!/bin/sh");
  chmod(text.c_str(), 0700);
  chmod(mute.c_str(), 0600);
  const StartProcess good = GoodStart(1);
  std::vector<FailingStart> all;
  auto add = [&](std::string outcome) -> Command& {
    all.push_back({good, std::move(outcome)});
    return all.back().start.command;
  };
  add("NOT_FOUND: exec \"/no/such\": No such file or directory").argv = {
      "/no/such"};
  add(absl::StrCat("PERMISSION_DENIED: exec \"", mute, "\": Permission denied"))
      .argv = {mute};
  add(absl::StrCat("UNKNOWN: exec \"", text, "\": Exec format error")).argv = {
      text};
  add("NOT_FOUND: chdir \"/no/such\": No such file or directory").cwd =
      "/no/such";
  add("NOT_FOUND: open \"/no/such\": No such file or directory").stdin_from =
      Stdio::File("/no/such", Stdio::FileMode::kRead);
  add("FAILED_PRECONDITION: dup \"fd 9999\": Bad file descriptor").stdin_from =
      Stdio::Descriptor(9999);
  add("INVALID_ARGUMENT: setrlimit \"resource 1000\": Invalid argument")
      .limits = {{1000, 0, 0}};
  add("INVALID_ARGUMENT: argv is empty").argv = {};
  return all;
}

// Issue 5: every outcome typed and delivered exactly once. Good and failing
// starts in turn, a hundred in flight.
TEST_F(ProcessesStressTest, TwentyThousandGoodAndFailingEachOutcomeOnce) {
  constexpr size_t kStarts = kSanitized ? 4000 : 20000, kInFlight = 100;
  const ScratchFolder folder;
  const std::vector<FailingStart> failing = FailingStarts(folder);
  Outcomes outcomes(*system_);
  size_t descriptors = 0;
  for (size_t i = 0; i < kStarts; ++i) {
    if (i % 2 == 0) {
      outcomes.Start(services(), GoodStart(i / 2));
    } else {
      outcomes.Start(services(), failing[i / 2 % failing.size()].start);
    }
    outcomes.WaitUntilOver(/*but=*/kInFlight);
    if (i == 1000) descriptors = OpenDescriptors().size();
  }
  // Nothing grows with the number of starts.
  EXPECT_LE(OpenDescriptors().size(), descriptors + 8 * kInFlight);
  outcomes.WaitUntilOver();
  StopAll();
  std::map<std::string, size_t> expected = {{"CM EXIT CL", kStarts / 2}};
  for (const FailingStart& one : failing) {
    expected[one.outcome] = kStarts / 2 / failing.size();
  }
  EXPECT_EQ(Counted(outcomes.Take()), expected);
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
