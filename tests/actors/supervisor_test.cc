#include "actors/supervisor.h"

#include <signal.h>

#include <cerrno>
#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "actors/config.h"
#include "actors/system.h"
#include "caf/actor_system.hpp"
#include "caf/exit_reason.hpp"
#include "caf/send.hpp"
#include "caf/typed_event_based_actor.hpp"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/child_program.h"
#include "tests/support/leak_check.h"
#include "tests/support/trace.h"

namespace troupe {
namespace {

using std::chrono::milliseconds;
using ::testing::AllOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

struct Notes {
  std::shared_ptr<Trace> trace;
  std::vector<std::string> names;
};

// What is written down: `a started 0`, `a wrote r`, `a exit code 3`, `a asked
// killed by SIGTERM`, `a drained`, `a restarts 1 100ms`, `a not started ...`,
// `stopping 2 because a`, `stopping 2`, `ended`.
SupervisorObserver::behavior_type Writer(SupervisorObserver::pointer,
                                         Notes notes) {
  auto note = [=](size_t member, std::string text) {
    notes.trace->Add(absl::StrCat(notes.names[member], " ", text));
  };
  return {
      [=](const MemberStarted& m) {
        note(m.member, absl::StrCat("started ", m.restart));
        notes.trace->Add(absl::StrCat("pid ", m.pid));
      },
      [=](const MemberNotStarted& m) {
        note(m.member,
             absl::StrCat("not started ", absl::string_view(m.why.message())));
      },
      [=](const MemberOutput& m) {
        note(m.member, "wrote " + m.bytes.ToString());
      },
      [=](const MemberExited& m) {
        note(m.member,
             absl::StrCat(m.asked ? "asked " : "", m.report.status.ToString()));
      },
      [=](const MemberDrained& m) { note(m.member, "drained"); },
      [=](const MemberRestarting& m) {
        note(m.member, absl::StrCat("restarts ", m.restart, " ",
                                    absl::FormatDuration(m.delay)));
      },
      [=](const MembersStopping& m) {
        notes.trace->Add(absl::StrCat(
            "stopping ", m.running,
            m.because ? " because " + notes.names[*m.because] : ""));
      },
      [=](const MembersEnded&) { notes.trace->Add("ended"); },
  };
}

class SupervisorTest : public LeakCheckedTest {
 protected:
  SupervisorTest() {
    actors_ = std::make_unique<caf::actor_system>(config_);
    system_ = *System::Start(*actors_);
  }
  ~SupervisorTest() override {
    group_ = Supervisor();
    observer_ = SupervisorObserver();
    system_.reset();
    actors_.reset();
  }

  static MemberSpec Member(std::string name, std::vector<std::string> argv) {
    MemberSpec member;
    member.name = std::move(name);
    member.command.argv = std::move(argv);
    member.command.stdin_from = Stdio::Null();
    member.command.stdout_to = Stdio::Pipe();
    member.command.group = ProcessGroup::kNewGroup;
    return member;
  }
  // Writes "r", then runs until it is stopped.
  static MemberSpec Waiting(std::string name) {
    return Member(std::move(name),
                  {"/bin/sh", "-c", "printf r; exec sleep 1000"});
  }
  static MemberSpec Exiting(std::string name, int code) {
    return Member(std::move(name),
                  {ChildProgram("exit_with"), absl::StrCat(code)});
  }
  // Writes "r" and ignores SIGTERM.
  static MemberSpec Stubborn(std::string name) {
    return Member(std::move(name),
                  {"/bin/sh", "-c",
                   "trap '' TERM; printf r; while :; do sleep 1000; done"});
  }

  void Start(std::vector<MemberSpec> members) {
    Notes notes{trace_, {}};
    for (const MemberSpec& member : members) notes.names.push_back(member.name);
    observer_ = actors_->spawn(Writer, std::move(notes));
    group_ =
        SpawnSupervisor(system_->processes(), std::move(members), observer_);
  }

  template <class T>
  void Tell(T message) {
    caf::anon_send(group_, std::move(message));
  }

  // Until the end; without the pids, which differ each time.
  std::vector<std::string> Facts() {
    EXPECT_TRUE(trace_->WaitFor("ended"));
    std::vector<std::string> facts = trace_->events();
    std::erase_if(facts, [](const std::string& fact) {
      return absl::StartsWith(fact, "pid ");
    });
    return facts;
  }
  std::vector<std::string> FactsOf(const std::string& name) {
    std::vector<std::string> facts = Facts();
    std::erase_if(facts, [&](const std::string& fact) {
      return !absl::StartsWith(fact, name + " ");
    });
    return facts;
  }

  std::vector<pid_t> Pids() {
    std::vector<pid_t> pids;
    for (const std::string& fact : trace_->events()) {
      int pid;
      if (absl::StartsWith(fact, "pid ") &&
          absl::SimpleAtoi(fact.substr(4), &pid)) {
        pids.push_back(pid);
      }
    }
    return pids;
  }
  // Something that nobody announces.
  static bool Becomes(const std::function<bool()>& holds) {
    absl::Time end = absl::Now() + absl::Seconds(20);
    while (!holds()) {
      if (absl::Now() > end) return false;
      absl::SleepFor(absl::Milliseconds(2));
    }
    return true;
  }

  // A dead orphan is there until init reaps it.
  static bool GroupIsGone(pid_t group) {
    return Becomes([=] { return kill(-group, 0) != 0 && errno == ESRCH; });
  }

  Config config_;
  std::unique_ptr<caf::actor_system> actors_;
  std::unique_ptr<System> system_;
  std::shared_ptr<Trace> trace_ = std::make_shared<Trace>();
  SupervisorObserver observer_;
  Supervisor group_;
};

// -- order of facts -----------------------------------------------------------

TEST_F(SupervisorTest, TellsStartOutputExitDrainAndEndInOrder) {
  Start({Member("a", {"/bin/echo", "-n", "hello"})});
  std::vector<std::string> facts = Facts();
  ASSERT_EQ(facts.size(), 6u);
  EXPECT_EQ(facts.front(), "a started 0");
  EXPECT_EQ(facts.back(), "ended");
  EXPECT_THAT(facts, Contains("a wrote hello"));
  EXPECT_THAT(facts, Contains("a exit code 0"));
  EXPECT_THAT(facts, Contains("stopping 0 because a"));
  EXPECT_EQ(facts[4], "a drained");
}

TEST_F(SupervisorTest, TellsTheEndOnceAndLast) {
  std::vector<MemberSpec> members;
  for (int i = 0; i < 20; ++i) members.push_back(Exiting("m", i));
  for (MemberSpec& member : members) {
    member.on_end = MemberSpec::OnEnd::kLetOthersRun;
  }
  Start(std::move(members));
  std::vector<std::string> facts = Facts();
  EXPECT_EQ(facts.back(), "ended");
  EXPECT_EQ(trace_->Count("ended"), 1u);
  EXPECT_EQ(trace_->Count("m drained"), 20u);
}

TEST_F(SupervisorTest, EndsAtOnceWithoutMembers) {
  Start({});
  EXPECT_THAT(Facts(), ElementsAre("ended"));
}

// -- ends ---------------------------------------------------------------------

TEST_F(SupervisorTest, StopsTheOthersWhenOneEnds) {
  Start({Exiting("a", 3), Waiting("b"), Waiting("c")});
  std::vector<std::string> facts = Facts();
  EXPECT_THAT(facts, Contains("a exit code 3"));
  EXPECT_THAT(facts, Contains("stopping 2 because a"));
  EXPECT_THAT(facts, Contains("b asked killed by SIGTERM"));
  EXPECT_THAT(facts, Contains("c asked killed by SIGTERM"));
}

TEST_F(SupervisorTest, LetsTheOthersRunWhenToldSo) {
  MemberSpec a = Exiting("a", 3);
  a.on_end = MemberSpec::OnEnd::kLetOthersRun;
  Start({a, Waiting("b")});
  ASSERT_TRUE(trace_->WaitFor("a drained"));
  ASSERT_TRUE(trace_->WaitFor("b wrote r"));
  EXPECT_EQ(trace_->Count("b drained"), 0u);
  Tell(StopMembers{});
  EXPECT_THAT(Facts(), Contains("stopping 1"));
}

TEST_F(SupervisorTest, StopsWhatAMemberLeftInItsGroup) {
  Start({Member("a", {"/bin/sh", "-c", "sleep 1000 >&- & printf r"})});
  EXPECT_THAT(FactsOf("a"), Contains("a exit code 0"));
  EXPECT_TRUE(GroupIsGone(Pids()[0]));
}

TEST_F(SupervisorTest, StopsWhatHoldsTheOutputOfAMemberThatEnded) {
  Start({Member("a", {"/bin/sh", "-c", "sleep 1000 & printf r"})});
  EXPECT_THAT(FactsOf("a"), Contains("a drained"));
  EXPECT_TRUE(GroupIsGone(Pids()[0]));
}

// It holds no stream, and the leader was reaped: nobody could reach it.
TEST_F(SupervisorTest, KillsWhatAMemberLeftInItsGroup) {
  MemberSpec a = Member(
      "a",
      {"/bin/sh", "-c", "trap '' TERM; sleep 1000 >/dev/null 2>&1 & printf r"});
  a.stop_plan = {{{SIGTERM, std::chrono::hours(1)}, {SIGKILL}}};
  Start({a});
  ASSERT_TRUE(trace_->WaitFor("a drained"));
  EXPECT_EQ(trace_->Count("ended"), 0u);
  Tell(KillMembers{});
  Facts();
  EXPECT_TRUE(GroupIsGone(Pids()[0]));
}

// -- starts that fail ---------------------------------------------------------

TEST_F(SupervisorTest, TellsWhyAMemberCouldNotStartAndStopsTheOthers) {
  Start({Member("a", {"/no/such"}), Waiting("b")});
  std::vector<std::string> facts = Facts();
  EXPECT_THAT(facts, Contains("a not started exec \"/no/such\": No such file "
                              "or directory"));
  EXPECT_THAT(facts, Contains("stopping 1 because a"));
  EXPECT_EQ(trace_->Count("a drained"), 0u);
  EXPECT_EQ(facts.back(), "ended");
}

TEST_F(SupervisorTest, TellsAFolderThatIsNotThere) {
  MemberSpec a = Waiting("a");
  a.command.cwd = "/no/such";
  Start({a});
  EXPECT_THAT(Facts(),
              Contains(AllOf(StartsWith("a not started"),
                             HasSubstr("\"/no/such\": No such file"))));
}

TEST_F(SupervisorTest, TriesAgainWhatCouldNotStartWithBackOff) {
  MemberSpec a = Member("a", {"/no/such"});
  a.restart = {.when = RestartWhen::kAlways,
               .initial_delay = milliseconds(1),
               .max_restarts = 3};
  Start({a});
  std::vector<std::string> facts = FactsOf("a");
  ASSERT_EQ(facts.size(), 7u);
  EXPECT_THAT(facts[0], StartsWith("a not started"));
  EXPECT_EQ(facts[1], "a restarts 1 1ms");
  EXPECT_EQ(facts[3], "a restarts 2 2ms");
  EXPECT_EQ(facts[5], "a restarts 3 4ms");
}

// -- restarts -----------------------------------------------------------------

TEST_F(SupervisorTest, RestartsWithBackOffUntilThePolicyGivesUp) {
  MemberSpec a = Exiting("a", 3);
  a.restart = {.when = RestartWhen::kOnFailure,
               .initial_delay = milliseconds(1),
               .max_restarts = 2};
  Start({a, Waiting("b")});
  std::vector<std::string> facts = FactsOf("a");
  std::erase(facts, "a drained");  // of an earlier run: at any time
  EXPECT_THAT(facts,
              ElementsAre("a started 0", "a exit code 3", "a restarts 1 1ms",
                          "a started 1", "a exit code 3", "a restarts 2 2ms",
                          "a started 2", "a exit code 3"));
  EXPECT_EQ(trace_->Count("a drained"), 3u);
  EXPECT_EQ(trace_->Count("b asked killed by SIGTERM"), 1u);
}

TEST_F(SupervisorTest, DoesNotRestartWhatEndedWellOnFailureOnly) {
  MemberSpec a = Exiting("a", 0);
  a.restart.when = RestartWhen::kOnFailure;
  Start({a});
  EXPECT_THAT(Facts(), Not(Contains(StartsWith("a restarts"))));
}

TEST_F(SupervisorTest, RestartsEachMemberOnceOnRequest) {
  Start({Waiting("a"), Waiting("b")});
  ASSERT_TRUE(trace_->WaitFor("a wrote r") && trace_->WaitFor("b wrote r"));
  Tell(RestartMembers{});
  Tell(RestartMembers{});  // while it is at it
  ASSERT_TRUE(trace_->WaitFor("a wrote r", 2) &&
              trace_->WaitFor("b wrote r", 2));
  EXPECT_EQ(trace_->Count("a asked killed by SIGTERM"), 1u);
  Tell(StopMembers{});
  EXPECT_THAT(FactsOf("a"), Not(Contains(StartsWith("a started 2"))));
}

TEST_F(SupervisorTest, RestartsAMemberThatWaitsAtOnce) {
  MemberSpec a = Exiting("a", 3);
  a.restart = {.when = RestartWhen::kAlways,
               .initial_delay = std::chrono::hours(1),
               .max_delay = std::chrono::hours(1)};
  Start({a});
  ASSERT_TRUE(trace_->WaitFor("a restarts 1 1h"));
  Tell(RestartMembers{});
  ASSERT_TRUE(trace_->WaitFor("a started 1"));
  Tell(StopMembers{});
  Facts();
}

TEST_F(SupervisorTest, RestartsAMemberThatHadEnded) {
  MemberSpec a = Exiting("a", 0);
  a.on_end = MemberSpec::OnEnd::kLetOthersRun;
  Start({a, Waiting("b")});
  ASSERT_TRUE(trace_->WaitFor("a drained"));
  Tell(RestartMembers{});
  ASSERT_TRUE(trace_->WaitFor("a started 1"));
  Tell(StopMembers{});
  Facts();
}

TEST_F(SupervisorTest, DoesNotRestartWhileItStops) {
  Start({Stubborn("a")});
  ASSERT_TRUE(trace_->WaitFor("a wrote r"));
  Tell(StopMembers{});
  Tell(RestartMembers{});
  Tell(KillMembers{});
  EXPECT_THAT(FactsOf("a"), Not(Contains("a started 1")));
}

// -- stops, in every phase ----------------------------------------------------

TEST_F(SupervisorTest, StopsMembersThatAreStarting) {
  Start({Waiting("a"), Waiting("b")});
  Tell(StopMembers{});
  EXPECT_EQ(Facts().back(), "ended");
}

TEST_F(SupervisorTest, KillsMembersThatAreStarting) {
  Start({Stubborn("a"), Stubborn("b")});
  Tell(KillMembers{});
  EXPECT_EQ(Facts().back(), "ended");
}

TEST_F(SupervisorTest, StopsAMemberThatWaitsForItsRestart) {
  MemberSpec a = Exiting("a", 3);
  a.restart = {.when = RestartWhen::kAlways,
               .initial_delay = std::chrono::hours(1),
               .max_delay = std::chrono::hours(1)};
  Start({a});
  ASSERT_TRUE(trace_->WaitFor("a restarts 1 1h"));
  Tell(StopMembers{});
  EXPECT_THAT(Facts(), Contains("stopping 0"));
}

TEST_F(SupervisorTest, StopsMembersThatAreBeingRestarted) {
  MemberSpec a = Stubborn("a");
  a.stop_plan = {{{SIGTERM, milliseconds(50)}, {SIGKILL}}};
  Start({a});
  ASSERT_TRUE(trace_->WaitFor("a wrote r"));
  Tell(RestartMembers{});
  Tell(StopMembers{});
  EXPECT_THAT(FactsOf("a"),
              ElementsAre("a started 0", "a wrote r",
                          "a asked killed by SIGKILL", "a drained"));
}

TEST_F(SupervisorTest, KillsMembersThatAreBeingStopped) {
  MemberSpec a = Stubborn("a");
  a.stop_plan = {{{SIGTERM, std::chrono::hours(1)}, {SIGKILL}}};
  Start({a});
  ASSERT_TRUE(trace_->WaitFor("a wrote r"));
  Tell(StopMembers{});
  Tell(KillMembers{});
  Tell(KillMembers{});
  EXPECT_THAT(FactsOf("a"), Contains("a asked killed by SIGKILL"));
  EXPECT_TRUE(GroupIsGone(Pids()[0]));
}

TEST_F(SupervisorTest, KillsMembersThatAreBeingRestarted) {
  MemberSpec a = Stubborn("a");
  a.stop_plan = {{{SIGTERM, std::chrono::hours(1)}, {SIGKILL}}};
  Start({a});
  ASSERT_TRUE(trace_->WaitFor("a wrote r"));
  Tell(RestartMembers{});
  Tell(KillMembers{});
  EXPECT_EQ(Facts().back(), "ended");
  EXPECT_EQ(trace_->Count("a started 1"), 0u);
}

TEST_F(SupervisorTest, StopsTheWholeGroupOfAMember) {
  Start({Member("a", {"/bin/sh", "-c", "sleep 1000 & printf r; wait"})});
  ASSERT_TRUE(trace_->WaitFor("a wrote r"));
  Tell(StopMembers{});
  Facts();
  EXPECT_TRUE(GroupIsGone(Pids()[0]));
}

TEST_F(SupervisorTest, StopsAStoppedMember) {
  Start({Member("a", {"/bin/sh", "-c", "printf r; kill -STOP $$"})});
  ASSERT_TRUE(trace_->WaitFor("a wrote r"));
  Tell(StopMembers{});
  EXPECT_THAT(FactsOf("a"), Contains("a asked killed by SIGTERM"));
}

// -- deaths of actors ---------------------------------------------------------

TEST_F(SupervisorTest, StopsAllWhenItsObserverDies) {
  Start({Waiting("a"), Waiting("b")});
  ASSERT_TRUE(trace_->WaitFor("a wrote r") && trace_->WaitFor("b wrote r"));
  caf::anon_send_exit(observer_, caf::exit_reason::kill);
  for (pid_t pid : Pids()) {
    EXPECT_TRUE(GroupIsGone(pid)) << pid;
  }
}

TEST_F(SupervisorTest, StopsAllWhenItIsKilled) {
  Start({Waiting("a"), Waiting("b")});
  ASSERT_TRUE(trace_->WaitFor("a wrote r") && trace_->WaitFor("b wrote r"));
  caf::anon_send_exit(group_, caf::exit_reason::kill);
  for (pid_t pid : Pids()) {
    EXPECT_TRUE(GroupIsGone(pid)) << pid;
  }
  EXPECT_EQ(trace_->Count("ended"), 0u);
  caf::anon_send_exit(observer_, caf::exit_reason::user_shutdown);
}

TEST_F(SupervisorTest, DoesItsWorkWithoutAnObserver) {
  group_ = SpawnSupervisor(system_->processes(), {Exiting("a", 0)},
                           SupervisorObserver());
}

}  // namespace
}  // namespace troupe
