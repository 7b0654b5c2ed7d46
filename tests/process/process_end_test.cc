// Who ends a Process, and that nothing is left: rows H10, H21, H22, P11, P18,
// P19, V10, V11, V14, V24, V25, A5, A8. The fixture looks for what is left.
#include <signal.h>

#include <chrono>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "caf/exit_reason.hpp"
#include "caf/send.hpp"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "process/process.h"
#include "tests/process/running_process.h"
#include "tests/support/child_program.h"
#include "tests/support/leak_check.h"
#include "tests/support/leased_program.h"
#include "tests/support/no_kill_capability.h"

namespace troupe {
namespace {

using ::testing::IsEmpty;

class ProcessEndTest : public RunningProcessTest {
 protected:
  // An actor that owns, and does nothing else.
  caf::actor NewOwner() {
    return system_->spawn<caf::hidden>(
        []() -> caf::behavior { return {[](int) {}}; });
  }
  static void Kill(const caf::actor& actor) {
    caf::anon_send_exit(actor, caf::exit_reason::kill);
  }
  // Asks for all there is to wait for: five answers. Returns when the process
  // has all the questions.
  void WaitForAll(const Process& process) {
    auto asked = std::make_shared<Trace>();
    system_->spawn<caf::hidden>(
        [=, trace = trace_](caf::event_based_actor* self) {
          auto note = [=](const std::string& text) { trace->Add(text); };
          auto failed = [=](const caf::error& why) {
            note(absl::StrCat("!", StatusOf(why).message()));
          };
          self->request(process, caf::infinite,
                        ReadFrom{.stream = ProcessStream::kStderr})
              .then([=](const Frame&) { note("read"); }, failed);
          self->request(process, caf::infinite, WaitForClose{})
              .then([=](const StreamClosed&) { note("closed"); }, failed);
          self->request(process, caf::infinite, WaitForExit{})
              .then([=](const ProcessExited& e) { note(Describe(e)); }, failed);
          self->request(process, caf::infinite, WaitForDrained{})
              .then([=](const ProcessDrained&) { note("drained"); }, failed);
          self->request(process, caf::infinite, WaitForEnd{})
              .then([=](const ProcessEnded&) { note("ended"); }, failed);
          self->request(process, caf::infinite, GetProcessInfo{})
              .then([=](const ProcessInfo&) { asked->Add("all"); });
        });
    ASSERT_TRUE(asked->WaitFor("all"));
  }
};

// -- close --------------------------------------------------------------------

// Row P18: -9, all streams, the end; row P19: afterwards nothing.
TEST_F(ProcessEndTest, CloseKillsReapsAndClosesAndIsAnswered) {
  Process process = NewProcess();
  ASSERT_EQ(Launch(process, PipedLaunch({ChildProgram("ignore_sigterm")})), "");
  AskInTrace<StreamClosed>("err", process,
                           WaitForClose{ProcessStream::kStderr});
  AskInTrace<ProcessDrained>("drained", process, WaitForDrained{});
  for (int i = 0; i < 2; ++i) {
    EXPECT_TRUE(Ask<ProcessEnded>(process, CloseProcess{}).ok());
  }
  EXPECT_TRUE(IsGone(pid_));
  ASSERT_TRUE(trace_->WaitFor("err: PCL 2"));
  ASSERT_TRUE(trace_->WaitFor("drained: EXIT -9 drained"));
  auto all = Ask<Communicated>(process, Communicate{});
  ASSERT_TRUE(all.ok()) << all.status();
  EXPECT_EQ(all->ended_by, EndedBy::kRequest);
}

// Row P18: a child that is dead already is not killed.
TEST_F(ProcessEndTest, CloseLeavesTheStatusOfAChildThatHasExited) {
  Process process = NewProcess();
  ASSERT_EQ(
      Launch(process, InGroup(PipedLaunch({ChildProgram("hold_stdout")}))), "");
  const pid_t grandchild = PidIn(Line(process));
  ASSERT_TRUE(Ask<ProcessExited>(process, WaitForExit{}).ok());
  EXPECT_TRUE(Ask<ProcessEnded>(process, CloseProcess{}).ok());
  auto exited = Ask<ProcessExited>(process, WaitForExit{});
  ASSERT_TRUE(exited.ok());
  EXPECT_EQ(Describe(*exited), "EXIT 0");
  EXPECT_TRUE(WaitUntilGone(pid_));
  EXPECT_NE(StateOf(grandchild), 'S');
  auto drained = Ask<ProcessDrained>(process, WaitForDrained{});
  ASSERT_TRUE(drained.ok());
  EXPECT_EQ(drained->ended_by, EndedBy::kItself);
}

// Row V11: a launch that it cuts short is answered by an error.
TEST_F(ProcessEndTest, CloseIsAnsweredAtAnyMomentOfTheLaunch) {
  for (int round = 0; round < 100; ++round) {
    Process process = NewProcess();
    caf::scoped_actor self(*system_);
    auto started =
        self->request(process, kPatience,
                      InGroup(PipedLaunch({ChildProgram("ignore_sigterm")})));
    SpinFor(std::chrono::microseconds(round * 20));
    EXPECT_TRUE(Ask<ProcessEnded>(process, CloseProcess{}).ok()) << round;
    started.receive([](const ProcessStarted&) {},
                    [](const caf::error& why) {
                      EXPECT_TRUE(absl::IsDeadlineExceeded(StatusOf(why)))
                          << to_string(why);
                    });
  }
  WaitForNoChildren();
}

TEST_F(ProcessEndTest, CloseHasNothingToDoBeforeALaunch) {
  auto closed = Ask<ProcessEnded>(NewProcess(), CloseProcess{});
  EXPECT_EQ(closed.status().message(), "the process was not launched");
}

// Row H10: with no handle, no close and no owner it just ends.
TEST_F(ProcessEndTest, EndsByItselfWhenNobodyHasAHandle) {
  ASSERT_EQ(Launch(NewProcess(), QuietLaunch({ChildProgram("exit_with"), "0"})),
            "");
  EXPECT_TRUE(WaitUntilGone(pid_));
}

class StrangersEndTest : private NoKillCapability, public RunningProcessTest {
 protected:
  void SetUp() override {
    if (!MayHaveStrangers()) GTEST_SKIP() << "needs root";
  }
};

// Row V10: that it may not be killed (set-user-id) is ignored. Its streams are
// closed, and its end is waited for.
TEST_F(StrangersEndTest, CloseIgnoresThatItMayNotKill) {
  for (bool in_group : {false, true}) {
    Process process = NewProcess();
    LaunchProcess launch = PipedLaunch({"/bin/cat"});
    if (in_group) launch = InGroup(launch);
    launch.command.uid = kStrangersUid;
    ASSERT_EQ(Launch(process, launch), "");
    EXPECT_TRUE(absl::IsPermissionDenied(Do(process, KillProcess{})));
    auto info = Ask<ProcessInfo>(process, GetProcessInfo{});
    ASSERT_TRUE(info.ok());
    EXPECT_EQ(info->phase, ProcessInfo::Phase::kRunning);
    EXPECT_TRUE(Ask<ProcessEnded>(process, CloseProcess{}).ok());
    auto drained = Ask<ProcessDrained>(process, WaitForDrained{});
    ASSERT_TRUE(drained.ok()) << drained.status();
    EXPECT_EQ(Describe(drained->exit), "EXIT 0");
    EXPECT_EQ(drained->ended_by, EndedBy::kRequest);
    EXPECT_TRUE(WaitUntilGone(pid_));
  }
}

// -- the owner ----------------------------------------------------------------

// Rows H22, V25: by the plan, and its streams are closed.
TEST_F(ProcessEndTest, TheOwnersEndStopsTheProcessByItsPlan) {
  Process process = NewProcess();
  caf::actor owner = NewOwner();
  LaunchProcess launch = InGroup(PipedLaunch({ChildProgram("ignore_sigterm")}));
  launch.stop_plan.rungs = {{SIGTERM, std::chrono::milliseconds(20)},
                            {SIGKILL}};
  launch.owner = owner.address();
  ASSERT_EQ(Launch(process, launch), "");
  EXPECT_EQ(Read(process, ReadExactly{1}), "r");
  Kill(owner);
  auto drained = Ask<ProcessDrained>(process, WaitForDrained{});
  ASSERT_TRUE(drained.ok()) << drained.status();
  EXPECT_EQ(Describe(drained->exit), "EXIT -9");
  EXPECT_EQ(drained->ended_by, EndedBy::kOwnersEnd);
  EXPECT_TRUE(Ask<ProcessEnded>(process, WaitForEnd{}).ok());
  EXPECT_TRUE(WaitUntilGone(pid_));
}

// A grandchild outside of its group is not waited for.
TEST_F(ProcessEndTest, TheOwnersEndClosesTheStreamsOfWhatIsLeft) {
  Process process = NewProcess();
  caf::actor owner = NewOwner();
  LaunchProcess launch = PipedLaunch({ChildProgram("hold_stdout")});
  launch.owner = owner.address();
  ASSERT_EQ(Launch(process, launch), "");
  ASSERT_TRUE(Ask<ProcessExited>(process, WaitForExit{}).ok());
  Kill(owner);
  EXPECT_TRUE(Ask<ProcessEnded>(process, WaitForEnd{}).ok());
}

TEST_F(ProcessEndTest, AnOwnerThatIsGoneAlreadyOwnsNothingForLong) {
  caf::actor_addr owner;
  {
    caf::scoped_actor self(*system_);
    owner = self->address();
  }
  Process process = NewProcess();
  LaunchProcess launch = PipedLaunch({ChildProgram("wait_for_eof")});
  launch.owner = owner;
  ASSERT_EQ(Launch(process, launch), "");
  auto exited = Ask<ProcessExited>(process, WaitForExit{});
  ASSERT_TRUE(exited.ok());
  EXPECT_EQ(exited->report.status.killed(), true);
}

// Rows H21, P11, V11, A8: at any moment of the launch. Each round at another.
TEST_F(ProcessEndTest, AnOwnerThatEndsDuringTheLaunchLeavesNothing) {
  for (int round = 0; round < 200; ++round) {
    caf::actor owner = NewOwner();
    Process process = NewProcess();
    LaunchProcess launch = InGroup(PipedLaunch({ChildProgram("wait_for_eof")}));
    launch.owner = owner.address();
    caf::scoped_actor self(*system_);
    auto started = self->request(process, kPatience, launch);
    SpinFor(std::chrono::microseconds(round * 10));
    Kill(owner);
    EXPECT_TRUE(Ask<ProcessEnded>(process, WaitForEnd{}).ok()) << round;
    started.receive([](const ProcessStarted&) {},
                    [](const caf::error& why) { FAIL() << to_string(why); });
  }
  WaitForNoChildren();
}

// Row H21 for RunProcess: it belongs to who asks.
TEST_F(ProcessEndTest, RunProcessEndsWithWhoAsked) {
  for (int round = 0; round < 100; ++round) {
    caf::actor asker = AskInTrace<Communicated>(
        "run", NewProcess(),
        RunProcess{InGroup(PipedLaunch({"sh", "-c", "sleep 1000"}))});
    SpinFor(std::chrono::microseconds(round * 20));
    Kill(asker);
  }
  WaitForNoChildren();
  EXPECT_THAT(trace_->events(), IsEmpty());
}

// -- the actor and its thread -------------------------------------------------

// Rows V11, A8: everybody who waits is answered.
TEST_F(ProcessEndTest, KilledItAnswersEverybodyAndTheProcessIsStopped) {
  Process process = NewProcess();
  ASSERT_EQ(Launch(process, PipedLaunch({ChildProgram("wait_for_eof")})), "");
  EXPECT_EQ(Read(process, ReadExactly{1}), "r");
  WaitForAll(process);
  caf::anon_send_exit(process, caf::exit_reason::kill);
  ASSERT_TRUE(trace_->WaitFor("!the process was ended", 3));
  ASSERT_TRUE(trace_->WaitFor("EXIT -15"));
  EXPECT_TRUE(WaitUntilGone(pid_));
}

// Row A5: the system's end kills and reaps without a word.
TEST_F(ProcessEndTest, TheIoThreadStopsWithProcessesAndEverybodyIsAnswered) {
  std::vector<Process> processes;
  for (int i = 0; i < 10; ++i) {
    processes.push_back(NewProcess());
    LaunchProcess launch = InGroup(PipedLaunch({ChildProgram("wait_for_eof")}));
    ASSERT_EQ(Launch(processes.back(), std::move(launch)), "");
    WaitForAll(processes.back());
  }
  StopIo();
  StopAll();
  EXPECT_THAT(Children(), IsEmpty());
  ASSERT_TRUE(trace_->WaitUntil([](const std::vector<std::string>& events) {
    return events.size() == 50;
  }));
}

// A launch that nobody will answer is answered, too.
TEST_F(ProcessEndTest, ALaunchIsAnsweredWhenItsActorsAreKilled) {
  LeasedProgram program;
  if (!program.held()) GTEST_SKIP() << "no leases on this file system";
  Process process = NewProcess();
  LaunchProcess launch = QuietLaunch({program.path()});
  launch.spawn_deadline = absl::Seconds(1);
  caf::scoped_actor self(*system_);
  auto started = self->request(process, kPatience, launch);
  self->request(process, kPatience, GetProcessInfo{})
      .receive([](const ProcessInfo&) {},
               [](const caf::error& why) { FAIL() << to_string(why); });
  StopIo();
  started.receive([](const ProcessStarted&) { FAIL(); },
                  [](const caf::error& why) {
                    EXPECT_EQ(StatusOf(why).message(), "the process was ended");
                  });
}

}  // namespace
}  // namespace troupe
