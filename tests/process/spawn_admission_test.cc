// How many children an admission lets be, and whose turn it is.
#include "process/spawn_admission.h"

#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "caf/scoped_actor.hpp"
#include "caf/send.hpp"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "process/pipeline_actor.h"
#include "process/pipeline_messages.h"
#include "tests/process/admission_fixture.h"

namespace troupe {
namespace {

using ::testing::ElementsAre;

TEST_F(SpawnAdmissionTest, MakesChildrenAsTheSpawnerDoes) {
  Limit({});
  Subprocess child = NewLimited();
  EXPECT_EQ(Start(child, Piped({ChildProgram("write_both")})), "");
  trace_->WaitFor("CL");
  EXPECT_EQ(Out(), "out");
  EXPECT_EQ(Start(NewLimited(), Piped({"/no/such"})),
            "exec \"/no/such\": No such file or directory");
  EXPECT_TRUE(WaitForInfo([](auto& i) { return i.live + i.starting == 0; }));
}

// Peers' row 5.
TEST_F(SpawnAdmissionTest, NoMoreLiveThanAskedFor) {
  Limit({.live = 2});
  Subprocess first = NewLimited(), second = NewLimited(), third = NewLimited();
  ASSERT_EQ(Start(first, Waiting()), "");
  ASSERT_EQ(Start(second, Waiting()), "");
  AskLater<ProcessStarted>("third", third, Waiting());
  ASSERT_TRUE(WaitForWaiting(1));
  EXPECT_EQ(Info().live, 2u);
  EXPECT_EQ(trace_->Count("third: CM"), 0u);
  ASSERT_TRUE(Ask<ProcessExited>(first, StopProcess{}).ok());
  EXPECT_TRUE(trace_->WaitFor("third: CM"));
  EXPECT_EQ(Info().live, 2u);
}

// It has its pid, and pins its group.
TEST_F(SpawnAdmissionTest, AZombieThatIsKeptCounts) {
  Limit({.live = 1});
  Subprocess first = NewLimited();
  StartProcess keeping = Waiting();
  keeping.command.group = ProcessGroup::kNewGroup;
  keeping.keep_group = true;
  ASSERT_EQ(Start(first, std::move(keeping)), "");
  const pid_t pid = pid_;
  caf::anon_send(first, CloseStdin{});
  ASSERT_TRUE(trace_->WaitFor("EXIT 0"));
  AskLater<ProcessStarted>("second", NewLimited(), Waiting());
  ASSERT_TRUE(WaitForWaiting(1));
  EXPECT_EQ(StateOf(pid), 'Z');
  ASSERT_TRUE(Ask<ProcessExited>(first, StopProcess{}).ok());
  EXPECT_TRUE(trace_->WaitFor("second: CM"));
}

// It lives, whoever answers for it.
TEST_F(SpawnAdmissionTest, ADetachedChildCountsUntilItIsReaped) {
  Limit({.live = 1});
  auto [in, out] = MakePipe();
  StartProcess start = Quiet({ChildProgram("wait_for_eof")});
  start.command.stdin_from =
      Stdio::Descriptor(std::make_shared<const OwnedFd>(std::move(in)));
  Subprocess first = NewLimited();
  ASSERT_EQ(Start(first, std::exchange(start, {})), "");
  ASSERT_TRUE(Ask<ProcessDetached>(first, DetachProcess{}).ok());
  EXPECT_EQ(Info().live, 1u);
  AskLater<ProcessStarted>("second", NewLimited(), Waiting());
  ASSERT_TRUE(WaitForWaiting(1));
  out.Close();
  EXPECT_TRUE(trace_->WaitFor("second: CM"));
}

// Until it is gone, not only until somebody has been told to end it.
TEST_F(SpawnAdmissionTest, AnAbandonedChildCountsUntilItIsEnded) {
  Limit({.live = 1});
  for (int i = 0; i < 20; ++i) {
    pid_t pid = -1;
    {
      auto made = MakeIdle();
      ASSERT_TRUE(made.ok()) << made.status();
      pid = made->child->pid();
      EXPECT_FALSE(IsGone(pid));
    }
    auto next = Make({.argv = {ChildProgram("exit_with"), "0"}});
    ASSERT_TRUE(next.ok());
    EXPECT_TRUE(IsGone(pid));
  }
}

TEST_F(SpawnAdmissionTest, OwnersTakeTurns) {
  LimitScripted({.live = 1, .starting = 1}, [](const Command& command) {
    return command.argv[0] == "/bin/cat" ? absl::OkStatus()
                                         : absl::NotFoundError(command.argv[0]);
  });
  auto held = Make({.argv = {"/bin/cat"}, .stdin_from = Stdio::Pipe()});
  ASSERT_TRUE(held.ok()) << held.status();
  ProcessObserver many = NewObserver(), few = NewObserver();
  size_t waiting = 0;
  for (const char* name : {"m1", "m2", "m3", "f1", "f2"}) {
    SpawnChild request = Request({.argv = {name}});
    request.owner = (name[0] == 'm' ? many : few).address();
    SpawnLater(name, std::move(request));
    ASSERT_TRUE(WaitForWaiting(++waiting));
  }
  held = absl::CancelledError();
  trace_->WaitFor("m3: m3");
  std::vector<std::string> tries;
  for (const std::string& event : trace_->events()) {
    if (event.substr(0, 4) == "try ") tries.push_back(event.substr(4));
  }
  EXPECT_THAT(tries, ElementsAre("/bin/cat", "m1", "f1", "m2", "f2", "m3"));
}

TEST_F(SpawnAdmissionTest, AnswersNoPlainMessage) {
  Limit({});
  caf::scoped_actor self(*system_);
  self->send(admission_, AskAdmission{});
  Info();  // behind it
  EXPECT_FALSE(self->has_next_message());
}

// Of a plain message: nobody takes the child, so it is ended.
TEST_F(SpawnAdmissionTest, MakesAlsoWhatNobodyAskedFor) {
  LimitScripted({.live = 1}, [](const Command&) { return absl::OkStatus(); });
  caf::anon_send(admission_, Request({.argv = {ChildProgram("copy_input")},
                                      .stdin_from = Stdio::Pipe()}));
  ASSERT_TRUE(trace_->WaitFor("try " + ChildProgram("copy_input")));
  EXPECT_TRUE(WaitForInfo([](auto& i) { return i.live + i.starting == 0; }));
}

// They would wait for each other until their deadlines.
TEST_F(SpawnAdmissionTest, RefusesAPipelineThatCannotLiveTogether) {
  Limit({.live = 2});
  StartPipeline start;
  start.pipeline.commands.assign(3, {.argv = {"cat"}});
  start.pipeline.commands.front().stdin_from = Stdio::Null();
  auto started = Ask<PipelineStarted>(SpawnPipeline(limited()), start);
  EXPECT_TRUE(absl::IsFailedPrecondition(started.status()));
  EXPECT_EQ(started.status().message(),
            "command 1 of 3: 3 children must live at once, but 2 may");
  start.pipeline.commands.pop_back();
  PipelineActor pair = SpawnPipeline(limited());
  started = Ask<PipelineStarted>(pair, start);
  EXPECT_TRUE(started.ok()) << started.status();
  EXPECT_TRUE(Ask<PipelineEnded>(pair, WaitForEnd{}).ok());
}

}  // namespace
}  // namespace troupe
