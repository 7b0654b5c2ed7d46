#include "process/tree_stopper.h"

#include <signal.h>

#include <algorithm>
#include <chrono>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/time/time.h"
#include "caf/event_based_actor.hpp"
#include "caf/exit_reason.hpp"
#include "caf/scoped_actor.hpp"
#include "caf/send.hpp"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "io/io_thread.h"
#include "io/status_error.h"
#include "io/virtual_clock.h"
#include "tests/support/process_fixture.h"
#include "tests/support/yield_until.h"

namespace troupe {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class TreeStopperTest : public ProcessTest {
 protected:
  TreeStopperTest() {
    stopper_ =
        SpawnTreeStopper(spawner_thread_->host(), spawner_thread_->actor());
  }
  ~TreeStopperTest() override { stopper_ = TreeStopper(); }

  // The pids of grow_tree, when all are ready.
  std::map<std::string, pid_t> Grow(const Subprocess& child,
                                    std::vector<std::string> roles) {
    const auto lines = static_cast<long>(roles.size()) + 1;
    roles.insert(roles.begin(), ChildProgram("grow_tree"));
    StartProcess start = Piped(std::move(roles));
    start.command.group = ProcessGroup::kNewSession;
    start.keep_group = true;
    EXPECT_EQ(Start(child, std::move(start)), "");
    trace_->WaitUntil([&](const auto&) {
      const std::string out = Out();
      return std::count(out.begin(), out.end(), '\n') == lines;
    });
    std::map<std::string, pid_t> pids;
    for (const std::string& line :
         std::vector<std::string>(absl::StrSplit(Out(), '\n'))) {
      std::pair<std::string, std::string> fields = absl::StrSplit(line, ' ');
      int pid = 0;
      if (absl::SimpleAtoi(fields.second, &pid)) pids[fields.first] = pid;
    }
    return pids;
  }

  TreeStopper stopper_;
};

// Row A3: by its plan, all of a session; then its owner reaps it.
TEST_F(TreeStopperTest, StopsASessionByPlan) {
  Subprocess child = NewSubprocess();
  auto pids = Grow(child, {"member", "group", "ignore"});
  auto stopped = Ask<TreeStopped>(
      stopper_,
      StopTree{{.leader = pid_, .reach = TreeReach::kSession},
               {{{SIGTERM, std::chrono::milliseconds(50)}, {SIGKILL}}}});
  ASSERT_TRUE(stopped.ok()) << stopped.status();
  std::vector<pid_t> all;
  for (const auto& [role, pid] : pids) all.push_back(pid);
  std::sort(all.begin(), all.end());
  EXPECT_EQ(stopped->report.killed, all);
  EXPECT_THAT(stopped->report.escaped, IsEmpty());
  EXPECT_TRUE(trace_->WaitFor("EXIT -15"));
  auto exited = Ask<ProcessExited>(child, StopProcess{});
  ASSERT_TRUE(exited.ok());
  EXPECT_EQ(exited->report.status, ExitStatus::Killed(SIGTERM));
  EXPECT_TRUE(trace_->WaitFor("CL"));
}

// An hour of its host's clock is over when that says so.
TEST_F(TreeStopperTest, WaitsByTheClockOfItsHost) {
  VirtualClock clock(VirtualClock::Mode::kByHand);
  IoThread::Options options;
  options.clock = &clock;
  auto thread = IoThread::Start(*system_, std::move(options));
  ASSERT_TRUE(thread.ok()) << thread.status();
  TreeStopper stopper = SpawnTreeStopper((*thread)->host(), (*thread)->actor());
  Subprocess child = NewSubprocess();
  Grow(child, {"ignore"});
  const StopTree stop{{.leader = pid_},
                      {{{SIGTERM, std::chrono::hours(1)}, {SIGKILL}}}};
  system_->spawn<caf::hidden>(
      [=, trace = trace_](caf::event_based_actor* self) {
        self->request(stopper, caf::infinite, stop)
            .then([=](const TreeStopped& stopped) {
              trace->Add(absl::StrCat("left ", stopped.report.left.size()));
            });
      });
  // A thread that sleeps is woken by a question.
  EXPECT_TRUE(YieldUntil([&] {
    clock.Advance(absl::Minutes(20));
    EXPECT_FALSE(Ask<TreeStopped>(stopper, StopTree{{.leader = -1}}).ok());
    return trace_->Count("left 0") == 1;
  }));
  EXPECT_GE(clock.NowNs(), absl::ToInt64Nanoseconds(absl::Hours(1)));
  stopper = TreeStopper();
  (*thread)->Stop();
  ASSERT_TRUE(Ask<ProcessExited>(child, StopProcess{}).ok());
}

TEST_F(TreeStopperTest, KilledItAnswersWhoWaits) {
  Subprocess child = NewSubprocess();
  Grow(child, {"ignore"});
  caf::scoped_actor self(*system_);
  auto stopped =
      self->request(stopper_, kPatience,
                    StopTree{{.leader = pid_},
                             {{{SIGWINCH, std::chrono::hours(1)}, {SIGKILL}}}});
  // Behind it.
  EXPECT_FALSE(Ask<TreeStopped>(stopper_, StopTree{{.leader = -1}}).ok());
  caf::anon_send_exit(stopper_, caf::exit_reason::kill);
  stopped.receive([](const TreeStopped&) { FAIL(); },
                  [](const caf::error& why) {
                    EXPECT_TRUE(absl::IsCancelled(StatusOf(why)))
                        << StatusOf(why);
                  });
  ASSERT_TRUE(
      Ask<ProcessExited>(child, StopProcess{StopPlan{{{SIGKILL}}}}).ok());
}

TEST_F(TreeStopperTest, SaysWhoEscaped) {
  Subprocess child = NewSubprocess();
  auto pids = Grow(child, {"session"});
  auto stopped =
      Ask<TreeStopped>(stopper_, StopTree{{.leader = pid_}, {{{SIGKILL}}}});
  ASSERT_TRUE(stopped.ok());
  EXPECT_THAT(stopped->report.killed, ElementsAre(pid_));
  EXPECT_THAT(stopped->report.escaped, ElementsAre(pids["session"]));
  kill(pids["session"], SIGKILL);
  ASSERT_TRUE(Ask<ProcessExited>(child, StopProcess{}).ok());
}

TEST_F(TreeStopperTest, SaysWhoIsLeftAndWhatItRefuses) {
  Subprocess child = NewSubprocess();
  auto pids = Grow(child, {"ignore"});
  auto stopped = Ask<TreeStopped>(
      stopper_,
      StopTree{{.leader = pid_}, {{{SIGTERM, std::chrono::milliseconds(20)}}}});
  ASSERT_TRUE(stopped.ok());
  EXPECT_THAT(stopped->report.left, ElementsAre(pids["ignore"]));
  const pid_t leader = pid_;
  ASSERT_TRUE(
      Ask<ProcessExited>(child, StopProcess{StopPlan{{{SIGKILL}}}}).ok());
  EXPECT_EQ(
      Ask<TreeStopped>(stopper_, StopTree{{.leader = leader}}).status().code(),
      absl::StatusCode::kFailedPrecondition);
}

}  // namespace
}  // namespace troupe
