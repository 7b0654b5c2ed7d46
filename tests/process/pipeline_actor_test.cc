// Pipelines of real children. The fixture looks for what is left.
#include "process/pipeline_actor.h"

#include <poll.h>
#include <signal.h>

#include <cerrno>
#include <chrono>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "caf/actor_cast.hpp"
#include "caf/actor_control_block.hpp"
#include "caf/exit_reason.hpp"
#include "caf/scoped_actor.hpp"
#include "caf/send.hpp"
#include "caf/typed_event_based_actor.hpp"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "io/os_error.h"
#include "process/exit_status.h"
#include "process/pipeline.h"
#include "process/pipeline_messages.h"
#include "tests/support/leak_check.h"
#include "tests/support/process_fixture.h"

namespace troupe {
namespace {

using std::chrono::milliseconds;
using ::testing::IsEmpty;

struct Notes {
  std::shared_ptr<Trace> trace;
  std::shared_ptr<Received> got;
};

// "EXIT 0 -15"
std::string Describe(const PipelineExited& exited) {
  std::string text = "EXIT";
  for (const ExitStatus& status : exited.Statuses()) {
    absl::StrAppend(&text, " ", status.ReturnCode());
  }
  return text;
}

PipelineObserver::behavior_type Observer(PipelineObserver::pointer,
                                         Notes notes) {
  auto [trace, got] = notes;
  return {
      [trace = trace](const PipelineStarted&) { trace->Add("CM"); },
      [trace = trace, got = got](PipelineOutput& output) {
        got->Add({output.stream, output.bytes, {}}, true);
        trace->Add(absl::StrCat("DATA ", output.command, " ",
                                static_cast<int>(output.stream)));
      },
      [trace = trace](const PipelineStreamClosed& closed) {
        trace->Add(absl::StrCat("PCL ", closed.command, " ",
                                static_cast<int>(closed.stream)));
      },
      [trace = trace](const CommandExited& one) {
        trace->Add(absl::StrCat("EXIT of ", one.command));
      },
      [trace = trace](const PipelineExited& all) { trace->Add(Describe(all)); },
      [trace = trace](const PipelineEnded&) { trace->Add("CL"); },
      [trace = trace](const PauseWriting&) { trace->Add("PAUSE"); },
      [trace = trace](const ResumeWriting&) { trace->Add("RESUME"); },
  };
}

class PipelineActorTest : public ProcessTest {
 protected:
  PipelineActor NewPipeline() { return SpawnPipeline(services()); }
  PipelineObserver NewPipelineObserver() {
    return system_->spawn<caf::hidden>(Observer, Notes{trace_, got_});
  }

  // The outer ends and every stderr piped; no observer yet.
  static StartPipeline PipedThrough(
      std::vector<std::vector<std::string>> commands) {
    StartPipeline start;
    for (auto& argv : commands) {
      Command command;
      command.argv = std::move(argv);
      command.stderr_to = Stdio::Pipe();
      start.pipeline.commands.push_back(std::move(command));
    }
    start.pipeline.commands.front().stdin_from = Stdio::Pipe();
    start.pipeline.commands.back().stdout_to = Stdio::Pipe();
    return start;
  }

  absl::StatusOr<PipelineStarted> StartIt(const PipelineActor& run,
                                          StartPipeline start) {
    if (!start.observer) start.observer = NewPipelineObserver();
    auto started = Ask<PipelineStarted>(run, std::move(start));
    if (started.ok()) pids_ = started->pids;
    return started;
  }

  std::string StopBy(const PipelineActor& run, StopPipeline stop = {}) {
    auto exited = Ask<PipelineExited>(run, stop);
    return exited.ok() ? Describe(*exited)
                       : std::string(exited.status().message());
  }

  // Neither reads nor writes, and dies of any signal.
  static std::vector<std::string> Idle() { return {"sleep", "1000"}; }
  // The same, but not of SIGTERM from when it has written to stderr.
  static std::vector<std::string> Stubborn() {
    return {"sh", "-c", "trap '' TERM; echo r >&2; exec sleep 1000"};
  }

  static void WaitUntilFreed(const caf::weak_actor_ptr& actor) {
    for (int tries = 0; actor.lock() != nullptr; ++tries) {
      ASSERT_LT(tries, 20000);
      poll(nullptr, 0, 1);
    }
  }

  std::vector<pid_t> pids_;  // of the last start
};

// -- the pipes ----------------------------------------------------------------

TEST_F(PipelineActorTest, BytesAndTheirEndTravelThroughAllCommands) {
  PipelineActor run = NewPipeline();
  const std::vector<std::string> copy = {ChildProgram("copy_input")};
  ASSERT_TRUE(StartIt(run, PipedThrough({copy, copy, copy})).ok());
  EXPECT_EQ(pids_.size(), 3u);
  caf::anon_send(run, Write{Bytes("through"), {}});
  caf::anon_send(run, CloseStdin{});
  ASSERT_TRUE(trace_->WaitFor("CL"));
  EXPECT_EQ(Out(), "through");
  std::vector<std::string> events = trace_->events();
  EXPECT_EQ(events.front(), "CM");
  EXPECT_EQ(events.back(), "CL");
  for (const char* once :
       {"EXIT of 0", "EXIT of 1", "EXIT of 2", "EXIT 0 0 0", "PCL 0 0",
        "PCL 0 2", "PCL 1 2", "PCL 2 2", "PCL 2 1"}) {
    EXPECT_EQ(trace_->Count(once), 1u) << once;
  }
  EXPECT_EQ(trace_->Count("PCL 0 1"), 0u) << "not ours";
}

// The middle one dies of SIGPIPE; the first ignores it, sees EPIPE and ends.
TEST_F(PipelineActorTest, TheEndOfTheLastEndsThoseBefore) {
  PipelineActor run = NewPipeline();
  ASSERT_TRUE(StartIt(run, PipedThrough({{ChildProgram("flood")},
                                         {ChildProgram("copy_input")},
                                         {ChildProgram("exit_with"), "0"}}))
                  .ok());
  auto exited = Ask<PipelineExited>(run, WaitForExit{});
  ASSERT_TRUE(exited.ok()) << exited.status();
  EXPECT_EQ(Describe(*exited), "EXIT 1 -13 0");
  EXPECT_EQ(FirstFailed(exited->Statuses()), 0u);
  EXPECT_TRUE(Ask<PipelineEnded>(run, WaitForEnd{}).ok());
}

TEST_F(PipelineActorTest, ManyBytesGoThroughThreeCommands) {
  constexpr size_t kSize = 64 << 20;
  PipelineActor run = NewPipeline();
  const std::vector<std::string> copy = {ChildProgram("copy_input")};
  ASSERT_TRUE(
      StartIt(run,
              PipedThrough(
                  {{ChildProgram("flood"), absl::StrCat(kSize)}, copy, copy}))
          .ok());
  ASSERT_TRUE(trace_->WaitFor("CL"));
  EXPECT_EQ(OutSize(), kSize);
  EXPECT_EQ(trace_->Count("EXIT 0 0 0"), 1u);
}

TEST_F(PipelineActorTest, EachStderrIsHeardUnderItsCommand) {
  PipelineActor run = NewPipeline();
  StartPipeline start = PipedThrough({{"sh", "-c", "echo a >&2"},
                                      {"sh", "-c", "cat; echo b >&2"},
                                      {"sh", "-c", "cat; echo c"}});
  start.pipeline.commands[1].stderr_to = Stdio::Merged();
  ASSERT_TRUE(StartIt(run, std::move(start)).ok());
  ASSERT_TRUE(trace_->WaitFor("CL"));
  EXPECT_EQ(trace_->Count("DATA 0 2"), 1u);
  EXPECT_EQ(trace_->Count("DATA 1 2"), 0u) << "it went into the pipe";
  EXPECT_EQ(Err(), "a\n");
  EXPECT_EQ(Out(), "b\nc\n");
}

TEST_F(PipelineActorTest, OneCommandIsAPipelineToo) {
  PipelineActor run = NewPipeline();
  ASSERT_TRUE(
      StartIt(run, PipedThrough({{ChildProgram("exit_with"), "3"}})).ok());
  ASSERT_TRUE(trace_->WaitFor("CL"));
  EXPECT_EQ(trace_->Count("EXIT 3"), 1u);
}

// What the first did while the second was being started comes after it.
TEST_F(PipelineActorTest, TheStartIsToldFirst) {
  for (int round = 0; round < 20; ++round) {
    trace_ = std::make_shared<Trace>();
    PipelineActor run = NewPipeline();
    ASSERT_TRUE(
        StartIt(run, PipedThrough({{"sh", "-c", "echo a >&2"}, Idle(), Idle()}))
            .ok());
    ASSERT_TRUE(trace_->WaitFor("EXIT of 0"));
    EXPECT_EQ(trace_->events().front(), "CM");
    EXPECT_EQ(StopBy(run), "EXIT 0 -15 -15");
    ASSERT_TRUE(trace_->WaitFor("CL"));
  }
}

// -- stops --------------------------------------------------------------------

TEST_F(PipelineActorTest, OnePlanStopsAllCommands) {
  PipelineActor run = NewPipeline();
  StartPipeline start = PipedThrough({Stubborn(), Stubborn(), Idle()});
  start.stop_plan = {{{SIGTERM, milliseconds(50)}, {SIGKILL}}};
  ASSERT_TRUE(StartIt(run, std::move(start)).ok());
  ASSERT_TRUE(trace_->WaitFor("DATA 0 2"));
  ASSERT_TRUE(trace_->WaitFor("DATA 1 2"));
  EXPECT_EQ(StopBy(run), "EXIT -9 -9 -15");
  for (pid_t pid : pids_) EXPECT_TRUE(IsGone(pid));
  ASSERT_TRUE(trace_->WaitFor("CL"));
  EXPECT_EQ(StopBy(run), "EXIT -9 -9 -15") << "asked again";
}

TEST_F(PipelineActorTest, APlanThatGivesUpNamesTheCommand) {
  PipelineActor run = NewPipeline();
  ASSERT_TRUE(StartIt(run, PipedThrough({Idle(), Stubborn()})).ok());
  ASSERT_TRUE(trace_->WaitFor("DATA 1 2"));
  auto stopped = Ask<PipelineExited>(
      run, StopPipeline{StopPlan{{{SIGTERM, milliseconds(20)}}}});
  EXPECT_TRUE(absl::IsDeadlineExceeded(stopped.status()));
  EXPECT_EQ(FailedCommandOf(stopped.status()), 1u);
  EXPECT_FALSE(IsDead(pids_[1]));
  EXPECT_EQ(StopBy(run, {StopPlan{{{SIGKILL}}}}), "EXIT -15 -9");
  ASSERT_TRUE(trace_->WaitFor("CL"));
}

TEST_F(PipelineActorTest, ASignalReachesAllThatStillRun) {
  PipelineActor run = NewPipeline();
  ASSERT_TRUE(
      StartIt(run,
              PipedThrough({{ChildProgram("exit_with"), "3"}, Idle(), Idle()}))
          .ok());
  ASSERT_TRUE(trace_->WaitFor("EXIT of 0"));
  caf::anon_send(run, SendSignal{SIGUSR1});
  ASSERT_TRUE(trace_->WaitFor("CL"));
  EXPECT_EQ(trace_->Count("EXIT 3 -10 -10"), 1u);
}

TEST_F(PipelineActorTest, RefusesToStopWhatWasNotStarted) {
  EXPECT_EQ(StopBy(NewPipeline()), "the pipeline is not running");
}

// Whichever comes first, both are answered and nothing is left.
TEST_F(PipelineActorTest, AStopDuringTheStartStartsNoMore) {
  PipelineActor run = NewPipeline();
  StartPipeline start = PipedThrough({Idle(), Idle(), Idle()});
  start.observer = NewPipelineObserver();
  caf::scoped_actor self(*system_);
  auto started = self->request(run, kPatience, start);
  auto stopped = self->request(run, kPatience, StopPipeline{});
  std::string start_answer, stop_answer;
  started.receive([&](const PipelineStarted&) { start_answer = "started"; },
                  [&](const caf::error& why) {
                    start_answer = std::string(StatusOf(why).message());
                  });
  stopped.receive(
      [&](const PipelineExited& exited) { stop_answer = Describe(exited); },
      [&](const caf::error& why) {
        stop_answer = std::string(StatusOf(why).message());
      });
  if (start_answer == "started") {
    EXPECT_EQ(stop_answer, "EXIT -15 -15 -15");
    EXPECT_TRUE(trace_->WaitFor("CL"));
  } else {
    EXPECT_THAT(start_answer,
                ::testing::MatchesRegex(
                    "command [23] of 3: stopped before it was started"));
    EXPECT_EQ(stop_answer, start_answer);
    EXPECT_THAT(trace_->events(), IsEmpty());
  }
  EXPECT_THAT(Children(), IsEmpty());
}

// -- starts that fail ---------------------------------------------------------

TEST_F(PipelineActorTest, AFailedStartSaysWhereAndLeavesNothing) {
  StartPipeline start = PipedThrough({Idle(), {"/no/such"}, Idle()});
  start.pipeline.commands[0].signals.dispositions[SIGTERM] =
      SignalDisposition::kIgnore;  // so that the stop takes its time
  start.stop_plan = {{{SIGTERM, milliseconds(50)}, {SIGKILL}}};
  auto started = StartIt(NewPipeline(), std::move(start));
  EXPECT_TRUE(absl::IsNotFound(started.status()));
  EXPECT_EQ(started.status().message(),
            "command 2 of 3: exec \"/no/such\": No such file or directory");
  EXPECT_EQ(FailedCommandOf(started.status()), 1u);
  EXPECT_EQ(OsFailureOf(started.status()).value().error_number, ENOENT);
  EXPECT_THAT(Children(), IsEmpty());
  StopAll();
  EXPECT_THAT(trace_->events(), IsEmpty());
}

TEST_F(PipelineActorTest, AFailedStartNeedsNoPlanThatKills) {
  StartPipeline start = PipedThrough({Idle(), Idle(), {"/no/such"}});
  start.stop_plan = {{{SIGWINCH, milliseconds(1)}}};
  auto started = StartIt(NewPipeline(), std::move(start));
  EXPECT_EQ(FailedCommandOf(started.status()), 2u);
  EXPECT_THAT(Children(), IsEmpty());
}

TEST_F(PipelineActorTest, AFailedStartAnswersEveryoneWhoWaits) {
  PipelineActor run = NewPipeline();
  caf::scoped_actor self(*system_);
  auto exit = self->request(run, kPatience, WaitForExit{});
  auto end = self->request(run, kPatience, WaitForEnd{});
  EXPECT_FALSE(StartIt(run, PipedThrough({{"/no/such"}, Idle()})).ok());
  int answers = 0;
  auto refused = [&](const caf::error& why) {
    ++answers;
    EXPECT_EQ(FailedCommandOf(StatusOf(why)), 0u);
  };
  exit.receive([](const PipelineExited&) {}, refused);
  end.receive([](const PipelineEnded&) {}, refused);
  EXPECT_EQ(answers, 2);
}

TEST_F(PipelineActorTest, ARefusedPipelineStartsNothingAndMayBeMended) {
  PipelineActor run = NewPipeline();
  auto started = StartIt(run, PipedThrough({Idle(), {}}));
  EXPECT_EQ(started.status().message(), "command 2 of 2: argv is empty");
  StartPipeline start = PipedThrough({{ChildProgram("exit_with")}});
  start.stop_plan = {{{SIGSTOP}}};
  EXPECT_EQ(StartIt(run, start).status().message(),
            "stop plan: SIGSTOP ends no process");
  start.stop_plan = {};
  EXPECT_TRUE(StartIt(run, start).ok());
  EXPECT_EQ(StartIt(run, start).status().message(),
            "the pipeline was started already");
  ASSERT_TRUE(trace_->WaitFor("CL"));
}

// -- who ends with whom -------------------------------------------------------

TEST_F(PipelineActorTest, TheEndOfItsObserverStopsAllCommands) {
  PipelineActor run = NewPipeline();
  StartPipeline start = PipedThrough({{ChildProgram("flood")},
                                      {ChildProgram("copy_input")},
                                      Stubborn(),
                                      Idle()});
  start.stop_plan = {{{SIGTERM, milliseconds(50)}, {SIGKILL}}};
  PipelineObserver observer = start.observer = NewPipelineObserver();
  ASSERT_TRUE(StartIt(run, std::move(start)).ok());
  ASSERT_TRUE(trace_->WaitFor("DATA 2 2"));
  caf::anon_send_exit(observer, caf::exit_reason::kill);
  auto exited = Ask<PipelineExited>(run, WaitForExit{});
  ASSERT_TRUE(exited.ok()) << exited.status();
  EXPECT_EQ(exited->commands[2].report.status, ExitStatus::Killed(SIGKILL));
  EXPECT_TRUE(Ask<PipelineEnded>(run, WaitForEnd{}).ok());
  for (pid_t pid : pids_) EXPECT_TRUE(WaitUntilGone(pid));
}

// A grandchild that holds a stream of a command in a group of its own.
TEST_F(PipelineActorTest, TheEndOfItsObserverStopsTheGroupsOfTheExited) {
  PipelineActor run = NewPipeline();
  StartPipeline start = PipedThrough(
      {{ChildProgram("exit_with")}, {"sh", "-c", "sleep 1000 & echo $!"}});
  start.pipeline.commands[1].group = ProcessGroup::kNewGroup;
  PipelineObserver observer = start.observer = NewPipelineObserver();
  ASSERT_TRUE(StartIt(run, std::move(start)).ok());
  ASSERT_TRUE(trace_->WaitFor("EXIT 0 0"));
  pid_t second = PrintedPid();
  caf::anon_send_exit(observer, caf::exit_reason::kill);
  EXPECT_TRUE(Ask<PipelineEnded>(run, WaitForEnd{}).ok());
  EXPECT_TRUE(IsDead(second));
}

TEST_F(PipelineActorTest, KilledItsCommandsAreStopped) {
  PipelineActor run = NewPipeline();
  ASSERT_TRUE(StartIt(run, PipedThrough({Idle(), Idle(), Idle()})).ok());
  caf::anon_send_exit(run, caf::exit_reason::kill);
  for (pid_t pid : pids_) EXPECT_TRUE(WaitUntilGone(pid));
}

// Each round at another moment of the start.
TEST_F(PipelineActorTest, KilledAtAnyMomentOfTheStartNothingIsLeft) {
  for (int round = 0; round < 200; ++round) {
    PipelineActor run = NewPipeline();
    StartPipeline start = PipedThrough({Idle(), Idle(), Idle()});
    PipelineObserver observer = start.observer = NewPipelineObserver();
    caf::scoped_actor self(*system_);
    self->send(run, std::move(start));
    const auto end = std::chrono::steady_clock::now() +
                     std::chrono::microseconds(round * 20);
    while (std::chrono::steady_clock::now() < end) {
    }
    if (round % 2 == 0) {
      caf::anon_send_exit(run, caf::exit_reason::kill);
    } else {
      caf::anon_send_exit(observer, caf::exit_reason::kill);
    }
  }
  // The spawner handles requests in order: after this one all were.
  ASSERT_EQ(Start(NewSubprocess(), Quiet({ChildProgram("exit_with")})), "");
  WaitForNoChildren();
}

TEST_F(PipelineActorTest, WithoutHandlesItRunsToItsEnd) {
  ASSERT_TRUE(
      StartIt(NewPipeline(), PipedThrough({{"sh", "-c", "read x"}, {"cat"}}))
          .ok());
  kill(pids_[0], SIGKILL);
  ASSERT_TRUE(trace_->WaitFor("CL"));
  EXPECT_EQ(trace_->Count("EXIT -9 0"), 1u);
}

TEST_F(PipelineActorTest, HoldsItsObserverNoLongerThanItRuns) {
  PipelineActor run = NewPipeline();
  StartPipeline start = PipedThrough({{ChildProgram("exit_with")}, {"cat"}});
  start.observer = NewPipelineObserver();
  auto memory = caf::actor_cast<caf::weak_actor_ptr>(start.observer);
  ASSERT_TRUE(StartIt(run, std::exchange(start, {})).ok());
  WaitUntilFreed(memory);
  EXPECT_TRUE(Ask<PipelineEnded>(run, WaitForEnd{}).ok());
}

// Its plan gave up: when its commands end at last, the stderr that a grandchild
// holds is not waited for.
TEST_F(PipelineActorTest, EndsWithoutObserverAlsoAfterAPlanThatGaveUp) {
  const StopPlan useless{{{SIGWINCH, milliseconds(1)}}};
  PipelineActor run = NewPipeline();
  StartPipeline start =
      PipedThrough({{"sh", "-c", "sleep 1000 & echo $!; read x"}, {"cat"}});
  start.stop_plan = useless;
  start.observer = NewPipelineObserver();
  PipelineObserver observer = start.observer;
  ASSERT_TRUE(StartIt(run, std::exchange(start, {})).ok());
  pid_t second = PrintedPid();
  auto memory = caf::actor_cast<caf::weak_actor_ptr>(observer);
  caf::anon_send_exit(observer, caf::exit_reason::kill);
  observer = PipelineObserver();
  WaitUntilFreed(memory);
  EXPECT_FALSE(Ask<PipelineExited>(run, StopPipeline{useless}).ok());
  caf::anon_send(run, CloseStdin{});
  kill(pids_[1], SIGKILL);  // it reads what the grandchild holds
  EXPECT_TRUE(Ask<PipelineEnded>(run, WaitForEnd{}).ok());
  EXPECT_FALSE(IsDead(second));
  kill(second, SIGKILL);
}

TEST_F(PipelineActorTest, IsGoneWhenItIsOverAndNobodyAsks) {
  caf::weak_actor_ptr memory;
  {
    PipelineActor run = NewPipeline();
    memory = caf::actor_cast<caf::weak_actor_ptr>(run);
    ASSERT_TRUE(
        StartIt(run, PipedThrough({{ChildProgram("exit_with")}, {"cat"}}))
            .ok());
    EXPECT_TRUE(Ask<PipelineExited>(run, WaitForExit{}).ok());
  }
  ASSERT_TRUE(trace_->WaitFor("CL"));
  WaitUntilFreed(memory);
}

}  // namespace
}  // namespace troupe
