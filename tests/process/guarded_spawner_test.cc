#include "process/guarded_spawner.h"

#include <signal.h>

#include <fstream>
#include <memory>
#include <sstream>
#include <string>
#include <thread>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "caf/exit_reason.hpp"
#include "caf/send.hpp"
#include "gtest/gtest.h"
#include "io/status_error.h"
#include "process/guard.h"
#include "tests/support/leak_check.h"
#include "tests/support/leased_program.h"
#include "tests/support/process_fixture.h"
#include "tests/support/scratch_folder.h"
#include "tests/support/yield_until.h"

namespace troupe {
namespace {

// The guard only writes down what it is told.
class GuardedSpawnerTest : public ProcessTest {
 protected:
  GuardedSpawnerTest() {
    auto guard = Guard::Start(
        {.argv = {"sh", "-c",
                  absl::StrCat("exec cat >", folder_.PathOf("x"))}});
    EXPECT_TRUE(guard.ok()) << guard.status();
    guard_ = *std::move(guard);
    guarded_ = SpawnGuarded(host(), guard_, spawner_);
  }
  ~GuardedSpawnerTest() override { guarded_ = Spawner(); }

  Subprocess NewGuarded() {
    ProcessServices guarded = services();
    guarded.spawner = guarded_;
    return SpawnSubprocess(guarded);
  }
  // After the guard's end.
  std::string Told() {
    guard_.reset();
    std::stringstream told;
    told << std::ifstream(folder_.PathOf("x")).rdbuf();
    return told.str();
  }

  ScratchFolder folder_;
  std::shared_ptr<Guard> guard_;
  Spawner guarded_;
};

TEST_F(GuardedSpawnerTest, TellsOfAGroupUntilItIsReaped) {
  ASSERT_EQ(Start(NewGuarded(), InGroup(Quiet({ChildProgram("exit_with")}))),
            "");
  ASSERT_TRUE(trace_->WaitFor("CL"));
  StopIo();
  EXPECT_EQ(Told(), absl::StrCat("+", pid_, "\n-", pid_, "\nq\n"));
}

TEST_F(GuardedSpawnerTest, ADetachedChildIsGuardedNoMore) {
  auto [in, out] = MakePipe();
  StartProcess start = InGroup(Quiet({ChildProgram("wait_for_eof")}));
  start.command.stdin_from =
      Stdio::Descriptor(std::make_shared<const OwnedFd>(std::move(in)));
  Subprocess child = NewGuarded();
  ASSERT_EQ(Start(child, std::exchange(start, {})), "");
  ASSERT_TRUE(Ask<ProcessDetached>(child, DetachProcess{}).ok());
  EXPECT_EQ(Told(), absl::StrCat("+", pid_, "\n-", pid_, "\nq\n"));
  out.Close();
  ASSERT_TRUE(trace_->WaitFor("CL"));
}

// A lease does not keep it: its end waits, and the lease's may come anywhere.
TEST_F(GuardedSpawnerTest, TheGuardEndsWithWhoStartedIt) {
  Subprocess child = NewGuarded();
  ASSERT_EQ(Start(child, InGroup(Piped({ChildProgram("copy_input")}))), "");
  const pid_t guard = guard_->pid();
  guard_.reset();
  EXPECT_TRUE(IsGone(guard));
  EXPECT_FALSE(IsDead(pid_));
  EXPECT_EQ(Start(NewGuarded(), InGroup(Quiet({ChildProgram("exit_with")}))),
            "the guard has ended");
  EXPECT_EQ(Start(NewGuarded(), Quiet({ChildProgram("exit_with")})), "");
  caf::anon_send(child, CloseStdin{});
  ASSERT_TRUE(trace_->WaitFor("CL", 2));
}

// It can hang for as long as an exec does.
TEST_F(GuardedSpawnerTest, KilledItAnswersWhoWaits) {
  LeasedProgram program;
  if (!program.held()) GTEST_SKIP() << "no leases on this file system";
  auto attempt = std::make_shared<SpawnAttempt>();
  Spawner guarded = SpawnGuarded(host(), guard_, spawner_);
  caf::scoped_actor self(*system_);
  auto made = self->request(guarded, kPatience,
                            SpawnChild{{.argv = {program.path()}}, attempt});
  ASSERT_TRUE(YieldUntil([] { return Children().size() == 2; }));
  caf::anon_send_exit(guarded, caf::exit_reason::kill);
  made.receive([](const ChildSpawned&) { FAIL(); },
               [](const caf::error& why) {
                 EXPECT_TRUE(absl::IsCancelled(StatusOf(why))) << StatusOf(why);
               });
  attempt->Abort();
}

}  // namespace
}  // namespace troupe
