#include "process/orphan_reaper.h"

#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "caf/exit_reason.hpp"
#include "caf/scoped_actor.hpp"
#include "caf/send.hpp"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "io/status_error.h"
#include "process/process_table.h"
#include "process/reap.h"
#include "process/subreaper.h"
#include "signals/signal_relay.h"
#include "tests/process/ran_child.h"
#include "tests/support/leased_program.h"
#include "tests/support/process_fixture.h"

namespace troupe {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class OrphanReaperTest : public ProcessTest {
 protected:
  OrphanReaperTest() {
    auto relay = SpawnSignalRelay(host(), io());
    EXPECT_TRUE(relay.ok()) << relay.status();
    relay_ = *relay;
    observer_ = system_->spawn<caf::hidden>(
        [trace =
             trace_](OrphanObserver::pointer) -> OrphanObserver::behavior_type {
          return {[=](const OrphanReaped& orphan) {
            trace->Add(absl::StrCat("orphan ", orphan.pid, " ",
                                    orphan.report.status.ReturnCode()));
          }};
        });
    reaper_ = SpawnOrphanReaper(host(), spawner_, relay_, observer_);
    auto adopting = Ask<AdoptingOrphans>(reaper_, AdoptOrphans{});
    EXPECT_TRUE(adopting.ok()) << adopting.status();
  }
  ~OrphanReaperTest() override {
    EXPECT_TRUE(Ask<OrphansLeft>(reaper_, LeaveOrphans{}).ok());
    EXPECT_FALSE(IsSubreaper());
    reaper_ = OrphanReaper();
    observer_ = OrphanObserver();
    relay_ = SignalRelay();
  }

  Subprocess NewChild() {
    ProcessServices reaping = services();
    reaping.spawner = reaper_;
    return SpawnSubprocess(reaping);
  }

  // Starts grow_tree with an orphan; its pid when it is ours.
  pid_t NewOrphan(const Subprocess& child) {
    StartProcess start = Piped({ChildProgram("grow_tree"), "orphan"});
    start.command.group = ProcessGroup::kNewGroup;
    start.keep_group = true;
    EXPECT_EQ(Start(child, std::move(start)), "");
    // Two lines, in any order.
    trace_->WaitUntil([&](const auto&) {
      const std::string out = Out();
      return std::count(out.begin(), out.end(), '\n') == 2;
    });
    std::string text = Out().substr(Out().rfind("orphan ") + 7);
    pid_t orphan = -1;
    EXPECT_TRUE(absl::SimpleAtoi(text.substr(0, text.find('\n')), &orphan));
    EXPECT_EQ(ReadProcess(orphan)->parent, getpid());
    return orphan;
  }

  SignalRelay relay_;
  OrphanObserver observer_;
  OrphanReaper reaper_;
};

// Row A17: beside the pidfd watcher.
TEST_F(OrphanReaperTest, AdoptsReapsAndTellsAnOrphan) {
  Subprocess child = NewChild();
  pid_t orphan = NewOrphan(child);
  auto listed = Ask<OrphansListed>(reaper_, ListOrphans{});
  ASSERT_TRUE(listed.ok());
  EXPECT_THAT(listed->orphans, ElementsAre(orphan));
  kill(orphan, SIGTERM);
  EXPECT_TRUE(trace_->WaitFor(absl::StrCat("orphan ", orphan, " -15")));
  EXPECT_TRUE(IsGone(orphan));
  EXPECT_THAT(Ask<OrphansListed>(reaper_, ListOrphans{})->orphans, IsEmpty());
  ASSERT_TRUE(Ask<ProcessExited>(child, StopProcess{}).ok());
}

// Its zombie pins its group, and hides nobody behind it.
TEST_F(OrphanReaperTest, LeavesTheZombieOfOurOwnAndStillReapsOrphans) {
  Subprocess child = NewChild();
  pid_t orphan = NewOrphan(child);
  kill(pid_, SIGKILL);
  ASSERT_TRUE(trace_->WaitFor("EXIT -9"));
  EXPECT_EQ(StateOf(pid_), 'Z');
  kill(orphan, SIGKILL);
  EXPECT_TRUE(trace_->WaitFor(absl::StrCat("orphan ", orphan, " -9")));
  EXPECT_EQ(StateOf(pid_), 'Z');
  auto exited = Ask<ProcessExited>(child, StopProcess{});
  ASSERT_TRUE(exited.ok());
  EXPECT_EQ(exited->report.status, ExitStatus::Killed(SIGKILL));
}

// Rows A17, V26: nobody's status is taken, however fast he ends and however
// many are on their way; spawns that fail leave nothing to be told.
TEST_F(OrphanReaperTest, NeverTakesAStatusThatSomebodyWaitsFor) {
  constexpr int kRounds = 300;
  for (int i = 0; i < kRounds; ++i) {
    StartProcess start = Quiet({ChildProgram("exit_with"), "3"});
    start.observer = NewObserver();
    caf::anon_send(NewChild(), std::move(start));
    StartProcess failing = Quiet({"/no/such"});
    failing.observer = NewObserver();
    caf::anon_send(NewChild(), std::move(failing));
  }
  EXPECT_TRUE(trace_->WaitFor("EXIT 3", kRounds));
  for (const std::string& event : trace_->events()) {
    EXPECT_NE(event.substr(0, 6), "orphan") << event;
  }
}

TEST_F(OrphanReaperTest, SparesAChildThatSomebodyElseMade) {
  auto child = Spawn(
      {.argv = {ChildProgram("copy_input")}, .stdin_from = Stdio::Pipe()});
  ASSERT_TRUE(child.ok());
  caf::anon_send(reaper_, SpareChild{child->pid});
  // It is known before the orphan's end is looked at.
  Subprocess tree = NewChild();
  pid_t orphan = NewOrphan(tree);
  kill(orphan, SIGTERM);
  EXPECT_TRUE(trace_->WaitFor(absl::StrCat("orphan ", orphan, " -15")));
  EXPECT_EQ(EndOf(&*child), ExitStatus::Exited(0));
  ASSERT_TRUE(Ask<ProcessExited>(tree, StopProcess{}).ok());
}

// A Leave overtakes the relay's answer to the Adopt before it.
TEST_F(OrphanReaperTest, WhoHasLeftAdoptsNobody) {
  caf::scoped_actor self(*system_);
  for (int round = 0; round < 20; ++round) {
    auto adopted = self->request(reaper_, kPatience, AdoptOrphans{});
    auto left = self->request(reaper_, kPatience, LeaveOrphans{});
    adopted.receive([](const AdoptingOrphans&) {},
                    [](const caf::error& why) {
                      EXPECT_TRUE(absl::IsCancelled(StatusOf(why)));
                    });
    left.receive([](const OrphansLeft&) {},
                 [](const caf::error& why) { FAIL() << to_string(why); });
    EXPECT_FALSE(IsSubreaper());
  }
}

TEST_F(OrphanReaperTest, AnswersNoPlainMessage) {
  caf::scoped_actor self(*system_);
  self->send(reaper_, ListOrphans{});
  self->send(reaper_, LeaveOrphans{});
  self->send(reaper_, AdoptOrphans{});
  ASSERT_TRUE(Ask<AdoptingOrphans>(reaper_, AdoptOrphans{}).ok());
  EXPECT_FALSE(self->has_next_message());
}

TEST_F(OrphanReaperTest, KilledItAnswersWhoWaitsForAChild) {
  LeasedProgram program;
  if (!program.held()) GTEST_SKIP() << "no leases on this file system";
  OrphanReaper reaper =
      SpawnOrphanReaper(host(), spawner_, relay_, OrphanObserver());
  auto attempt = std::make_shared<SpawnAttempt>();
  caf::scoped_actor self(*system_);
  auto made = self->request(reaper, kPatience,
                            SpawnChild{{.argv = {program.path()}}, attempt});
  ASSERT_TRUE(Ask<OrphansListed>(reaper, ListOrphans{}).ok());  // behind it
  caf::anon_send_exit(reaper, caf::exit_reason::kill);
  made.receive([](const ChildSpawned&) { FAIL(); },
               [](const caf::error& why) {
                 EXPECT_TRUE(absl::IsCancelled(StatusOf(why))) << StatusOf(why);
               });
  attempt->Abort();
}

// A detached child is still its subprocess's to reap (peers' row 68).
TEST_F(OrphanReaperTest, LeavesADetachedChildToItsSubprocess) {
  auto [in, out] = MakePipe();
  Subprocess child = NewChild();
  StartProcess start = Quiet({"sh", "-c", "read x; exit 3"});
  start.command.stdin_from =
      Stdio::Descriptor(std::make_shared<const OwnedFd>(std::move(in)));
  ASSERT_EQ(Start(child, std::exchange(start, {})), "");
  ASSERT_TRUE(Ask<ProcessDetached>(child, DetachProcess{}).ok());
  EXPECT_THAT(Ask<OrphansListed>(reaper_, ListOrphans{})->orphans, IsEmpty());
  out.Close();
  ASSERT_TRUE(trace_->WaitFor("CL"));
  EXPECT_EQ(trace_->Count("EXIT 3"), 1u);
  EXPECT_EQ(trace_->Count(absl::StrCat("orphan ", pid_, " 3")), 0u);
}

}  // namespace
}  // namespace troupe
