// A whole program on System: what it costs when idle, what it leaves behind.
#include "actors/system.h"

#include <dirent.h>
#include <poll.h>
#include <signal.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <fstream>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "actors/config.h"
#include "caf/actor_system.hpp"
#include "caf/actor_system_config.hpp"
#include "caf/exit_reason.hpp"
#include "caf/scoped_actor.hpp"
#include "caf/typed_event_based_actor.hpp"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "process/process_messages.h"
#include "process/reap.h"
#include "process/spawn.h"
#include "process/subprocess.h"
#include "tests/process/ran_child.h"
#include "tests/support/child_program.h"
#include "tests/support/leak_check.h"

namespace troupe {
namespace {

using std::chrono::seconds;

class SystemTest : public LeakCheckedTest {
 protected:
  // Starts system_program; its stdin and stdout are pipes.
  SpawnedChild Run(const std::string& mode, const std::string& child) {
    auto program = Spawn({.argv = {ChildProgram("../actors/system_program"),
                                   mode, ChildProgram(child)},
                          .stdin_from = Stdio::Pipe(),
                          .stdout_to = Stdio::Pipe()});
    EXPECT_TRUE(program.ok()) << program.status();
    return program.ok() ? *std::move(program) : SpawnedChild();
  }

  static std::vector<pid_t> Pids(absl::string_view text) {
    std::vector<pid_t> pids;
    for (absl::string_view line :
         absl::StrSplit(text, '\n', absl::SkipEmpty())) {
      pid_t pid = -1;
      EXPECT_TRUE(absl::SimpleAtoi(line, &pid)) << line;
      pids.push_back(pid);
    }
    return pids;
  }

  // Zombies of a parent that is gone are init's to reap.
  static bool IsDead(pid_t pid) {
    std::ifstream in(absl::StrCat("/proc/", pid, "/stat"));
    std::string line;
    std::getline(in, line);
    size_t close = line.rfind(')');
    return close == std::string::npos || line[close + 2] == 'Z' ||
           line[close + 2] == 'X';
  }

  // The sum over all threads of how often each was switched away from.
  static int64_t ContextSwitches(pid_t pid) {
    int64_t sum = 0;
    std::string folder = absl::StrCat("/proc/", pid, "/task");
    std::unique_ptr<DIR, int (*)(DIR*)> dir(opendir(folder.c_str()), closedir);
    while (dirent* entry = readdir(dir.get())) {
      std::ifstream in(absl::StrCat(folder, "/", entry->d_name, "/status"));
      for (std::string line; std::getline(in, line);) {
        std::pair<std::string, std::string> field = absl::StrSplit(line, '\t');
        int64_t count = 0;
        if (absl::StrContains(field.first, "ctxt_switches") &&
            absl::SimpleAtoi(field.second, &count)) {
          sum += count;
        }
      }
    }
    return sum;
  }
};

// Core rule 9: with the relay, a child, its transport and the printer running,
// no thread is switched in for ten seconds.
TEST_F(SystemTest, SleepsWhenThereIsNothingToDo) {
  SpawnedChild program = Run("idle", "copy_input");
  ASSERT_EQ(ReadBytes(program.stdout_pipe.get(), 1), "r");
  // What the start still does.
  int64_t before = ContextSwitches(program.pid);
  for (int quiet = 0, tries = 0; quiet < 100 && tries < 20000; ++tries) {
    poll(nullptr, 0, 1);
    int64_t now = ContextSwitches(program.pid);
    quiet = now == before ? quiet + 1 : 0;
    before = now;
  }
  EXPECT_GT(before, 0);
  poll(nullptr, 0, 10000);
  EXPECT_EQ(ContextSwitches(program.pid), before);
  EXPECT_EQ(EndOf(&program), ExitStatus::Exited(0));
}

TEST_F(SystemTest, AProgramThatEndsKillsAndReapsItsChildrenInABound) {
  SpawnedChild program = Run("leave", "ignore_sigterm");
  std::vector<pid_t> pids = Pids(ReadToEnd(program.stdout_pipe.get()));
  auto begin = std::chrono::steady_clock::now();
  EXPECT_EQ(EndOf(&program), ExitStatus::Exited(0));
  EXPECT_LT(std::chrono::steady_clock::now() - begin, seconds(5));
  EXPECT_EQ(pids.size(), 10u);
  for (pid_t pid : pids) {
    EXPECT_TRUE(kill(pid, 0) != 0 && errno == ESRCH) << pid;
  }
}

// Rows R19, W26, V54: the stdin of each child is open, and nobody closed it.
TEST_F(SystemTest, AProgramInDebugModeNamesTheTransportsThatNobodyClosed) {
  auto program = Spawn({.argv = {ChildProgram("../actors/system_program"),
                                 "leave", ChildProgram("copy_input")},
                        .environment = {.set = {{"TROUPE_DEBUG", "1"}}},
                        .stdin_from = Stdio::Pipe(),
                        .stdout_to = Stdio::Null(),
                        .stderr_to = Stdio::Pipe()});
  ASSERT_TRUE(program.ok()) << program.status();
  std::vector<std::string> lines =
      absl::StrSplit(ReadToEnd(program->stderr_pipe.get()), '\n');
  EXPECT_EQ(EndOf(&*program), ExitStatus::Exited(0));
  int connected = 0;
  int unclosed = 0;
  for (const std::string& line : lines) {
    connected += absl::StartsWith(line, "Write pipe ");
    unclosed +=
        absl::StartsWith(line, "unclosed transport <WriteTransport fd=");
  }
  EXPECT_EQ(connected, 10);
  EXPECT_EQ(unclosed, 10);
}

TEST_F(SystemTest, AKilledProgramTakesAChildWithParentDeathSignalWithIt) {
  SpawnedChild program = Run("hold", "copy_input");
  std::string line;
  while (line.empty() || line.back() != '\n') {
    std::string byte = ReadBytes(program.stdout_pipe.get(), 1);
    ASSERT_FALSE(byte.empty());
    line += byte;
  }
  std::vector<pid_t> pids = Pids(line);
  ASSERT_EQ(pids.size(), 1u);
  EXPECT_FALSE(IsDead(pids[0]));
  ASSERT_TRUE(SignalProcess(program.pidfd.get(), SIGKILL).ok());
  EXPECT_EQ(EndOf(&program), ExitStatus::Killed(SIGKILL));
  for (int tries = 0; !IsDead(pids[0]); ++tries) {
    ASSERT_LT(tries, 20000);
    poll(nullptr, 0, 1);
  }
}

ProcessObserver::behavior_type Quitter(ProcessObserver::pointer self,
                                       Subprocess child, int* exit_code) {
  StartProcess start;
  start.command.argv = {ChildProgram("exit_with"), "5"};
  start.observer = self;
  self->send(child, std::move(start));
  return {
      [](const ProcessStarted&) {},
      [](const ProcessOutput&) {},
      [](const StreamClosed&) {},
      [=](const ProcessExited& exited) {
        *exit_code = exited.report.status.code();
      },
      [=](const ProcessEnded&) { self->quit(); },
      [](const PauseWriting&) {},
      [](const ResumeWriting&) {},
  };
}

TEST_F(SystemTest, WaitsForTheProgramsOwnActors) {
  int exit_code = -1;
  {
    Config config;
    caf::actor_system actors(config);
    auto system = System::Start(actors);
    ASSERT_TRUE(system.ok()) << system.status();
    actors.spawn(Quitter, SpawnSubprocess((*system)->processes()), &exit_code);
  }
  EXPECT_EQ(exit_code, 5);
}

// Nothing is global but the table of signal dispositions.
TEST_F(SystemTest, ASecondSystemWorksAndHasNoSignals) {
  Config config;
  caf::actor_system actors(config);
  auto first = System::Start(actors);
  ASSERT_TRUE(first.ok());
  {
    auto second = System::Start(actors);
    ASSERT_TRUE(second.ok()) << second.status();
    EXPECT_TRUE((*first)->Signals().ok());
    EXPECT_TRUE((*first)->Signals().ok());  // the same
    EXPECT_TRUE(absl::IsFailedPrecondition((*second)->Signals().status()));
    EXPECT_TRUE(absl::IsFailedPrecondition((*second)->WaitForStop()));
    int exit_code = -1;
    actors.spawn(Quitter, SpawnSubprocess((*second)->processes()), &exit_code);
    actors.await_all_actors_done();
    EXPECT_EQ(exit_code, 5);
  }
  int exit_code = -1;
  actors.spawn(Quitter, SpawnSubprocess((*first)->processes()), &exit_code);
  actors.await_all_actors_done();
  EXPECT_EQ(exit_code, 5);
}

// When the first has gone, the next has the signals.
TEST_F(SystemTest, SystemsInARowEachHaveTheSignals) {
  for (int i = 0; i < 20; ++i) {
    Config config;
    caf::actor_system actors(config);
    auto system = System::Start(actors);
    ASSERT_TRUE(system.ok());
    EXPECT_TRUE((*system)->Signals().ok()) << (*system)->Signals().status();
  }
}

TEST_F(SystemTest, ReplacesARelayThatWasKilled) {
  Config config;
  caf::actor_system actors(config);
  auto system = System::Start(actors);
  ASSERT_TRUE(system.ok()) << system.status();
  auto first = (*system)->Signals();
  ASSERT_TRUE(first.ok()) << first.status();
  {
    caf::scoped_actor self(actors);
    self->monitor(*first);
    self->send_exit(*first, caf::exit_reason::kill);
    self->receive([](const caf::down_msg&) {});
  }
  auto second = (*system)->Signals();
  ASSERT_TRUE(second.ok()) << second.status();
  EXPECT_NE(*first, *second);
}

// Core rule 9: a system with another policy than `sharing` is warned once.
TEST_F(SystemTest, WarnsOfASchedulerThatPolls) {
  auto said = [](caf::actor_system_config& config) {
    testing::internal::CaptureStderr();
    caf::actor_system actors(config);
    EXPECT_TRUE(System::Start(actors).ok());
    return testing::internal::GetCapturedStderr();
  };
  Config sharing;
  EXPECT_EQ(said(sharing), "");
  caf::actor_system_config standard;
  EXPECT_THAT(said(standard), testing::HasSubstr("'stealing' wakes up"));
}

}  // namespace
}  // namespace troupe
