// Processes that are stopped, alone or with their groups.
#ifndef TROUPE_TESTS_PROCESS_SUBPROCESS_STOP_FIXTURE_H_
#define TROUPE_TESTS_PROCESS_SUBPROCESS_STOP_FIXTURE_H_

#include <sys/types.h>

#include <chrono>
#include <string>
#include <utility>
#include <vector>

#include "gtest/gtest.h"
#include "process/process_messages.h"
#include "process/stop_plan.h"
#include "tests/support/process_fixture.h"

namespace troupe {

class SubprocessStopTest : public ProcessTest {
 protected:
  static StopPlan Plan(std::vector<StopRung> rungs) {
    return {std::move(rungs)};
  }

  // Runs `program`, which writes when it is ready, in a group of its own.
  Subprocess Ready(const std::string& program) {
    Subprocess child = NewSubprocess();
    EXPECT_EQ(Start(child, InGroup(Piped({ChildProgram(program)}))), "");
    trace_->WaitFor("DATA 1 'r'");
    return child;
  }

  // Runs lead_group; second_ is the other member.
  Subprocess Lead(const std::string& what, StartProcess start) {
    Subprocess child = NewSubprocess();
    start.command.argv = {ChildProgram("lead_group"), what};
    EXPECT_EQ(Start(child, start), "");
    second_ = PrintedPid();
    return child;
  }

  std::string StopBy(const Subprocess& child, StopProcess stop = {}) {
    auto begin = std::chrono::steady_clock::now();
    auto exited = Ask<ProcessExited>(child, std::move(stop));
    took_ = std::chrono::steady_clock::now() - begin;
    return exited.ok() ? Describe(*exited)
                       : std::string(exited.status().message());
  }

  pid_t second_ = -1;
  std::chrono::steady_clock::duration took_ = {};
};

}  // namespace troupe

#endif  // TROUPE_TESTS_PROCESS_SUBPROCESS_STOP_FIXTURE_H_
