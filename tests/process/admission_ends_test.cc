// What ends a start in an admission's line: its owner, its attempt, and the
// admission itself.
#include <cerrno>
#include <chrono>
#include <cstddef>
#include <future>
#include <memory>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "caf/actor_cast.hpp"
#include "caf/actor_control_block.hpp"
#include "caf/exit_reason.hpp"
#include "caf/send.hpp"
#include "gtest/gtest.h"
#include "io/os_error.h"
#include "process/spawn_attempt.h"
#include "tests/process/admission_fixture.h"
#include "tests/support/leased_program.h"
#include "tests/support/yield_until.h"

namespace troupe {
namespace {

using std::chrono::milliseconds;

TEST_F(SpawnAdmissionTest, AStartInLineEndsWithItsOwner) {
  Limit({.live = 1});
  auto held = MakeIdle();
  ASSERT_TRUE(held.ok());
  ProcessObserver owner = NewObserver();
  for (const char* label : {"first", "second"}) {
    SpawnChild request = Request({.argv = {ChildProgram("exit_with")}});
    request.owner = owner.address();
    SpawnLater(label, std::move(request));
  }
  SpawnLater("other", Request({.argv = {ChildProgram("exit_with")}}));
  ASSERT_TRUE(WaitForWaiting(3));
  caf::anon_send_exit(owner, caf::exit_reason::kill);
  trace_->WaitFor("first: who wanted the child ended before its turn came");
  trace_->WaitFor("second: who wanted the child ended before its turn came");
  EXPECT_EQ(Info().waiting, 1u);
  held = absl::CancelledError();
  EXPECT_TRUE(trace_->WaitFor("other: made"));
}

// Also of one that ended before it was asked for.
TEST_F(SpawnAdmissionTest, AStartOfAnOwnerThatIsGoneIsCancelled) {
  Limit({.live = 1});
  auto held = MakeIdle();
  ASSERT_TRUE(held.ok());
  SpawnChild request = Request({.argv = {ChildProgram("exit_with")}});
  {
    ProcessObserver owner = NewObserver();
    request.owner = owner.address();
    caf::anon_send_exit(owner, caf::exit_reason::kill);
  }
  ASSERT_TRUE(YieldUntil([&] {
    return caf::actor_cast<caf::strong_actor_ptr>(request.owner) == nullptr;
  }));
  EXPECT_EQ(
      Ask<ChildSpawned>(admission_, request).status(),
      absl::CancelledError("who wanted the child ended before its turn came"));
  EXPECT_FALSE(request.attempt->Abort());
  EXPECT_EQ(Info().waiting, 0u);
}

TEST_F(SpawnAdmissionTest, RemembersNobodyWhoseStartIsDone) {
  Limit({});
  ProcessObserver owner = NewObserver();
  const auto held = caf::actor_cast<caf::strong_actor_ptr>(owner);
  const size_t mentions = held->weak_refs;
  for (const std::string& program :
       {ChildProgram("exit_with"), std::string("/no/such/program")}) {
    SpawnChild request = Request({.argv = {program}});
    request.owner = owner.address();
    (void)Ask<ChildSpawned>(admission_, std::move(request));
    // The spawner's thread drops its copy after it has answered.
    EXPECT_TRUE(YieldUntil([&] { return held->weak_refs == mentions; }))
        << program;
  }
}

// A subprocess whose observer dies stops it by plan, which aborts the attempt.
TEST_F(SpawnAdmissionTest, AStartInLineEndsWithItsAttempt) {
  Limit({.live = 1});
  auto held = MakeIdle();
  ASSERT_TRUE(held.ok());
  SpawnChild request = Request({.argv = {ChildProgram("exit_with")}});
  auto attempt = request.attempt;
  SpawnLater("aborted", std::move(request));
  ASSERT_TRUE(WaitForWaiting(1));
  EXPECT_TRUE(attempt->Abort());
  trace_->WaitFor(
      "aborted: the start was aborted while it waited for its turn");
  EXPECT_FALSE(attempt->Abort());
  EXPECT_EQ(Info().waiting, 0u);
}

// The abort comes while the try that is aborted fails for want of something.
TEST_F(SpawnAdmissionTest, AStartThatWasAbortedIsNotTriedAgain) {
  std::promise<void> aborted;
  LimitScripted({.first_wait = milliseconds(1)},
                [until = aborted.get_future().share()](const Command&) {
                  until.wait();
                  return OsError(EAGAIN, "clone");
                });
  SpawnChild request = Request({.argv = {"x"}});
  auto attempt = request.attempt;
  SpawnLater("aborted", std::move(request));
  ASSERT_TRUE(trace_->WaitFor("try x"));
  EXPECT_TRUE(attempt->Abort());
  EXPECT_EQ(Info().starting, 1u);  // behind the abort
  aborted.set_value();
  trace_->WaitFor(
      "aborted: the start was aborted while it waited for its turn");
  EXPECT_EQ(trace_->Count("try x"), 1u);
}

// The same when the try succeeds all the same: whoever aborted has been told
// that there will be no child.
TEST_F(SpawnAdmissionTest, AStartThatWasAbortedMakesNoChild) {
  std::promise<void> aborted;
  LimitScripted({}, [until = aborted.get_future().share()](const Command&) {
    until.wait();
    return absl::OkStatus();
  });
  SpawnChild request = Request(
      {.argv = {ChildProgram("copy_input")}, .stdin_from = Stdio::Pipe()});
  auto attempt = request.attempt;
  made_by_ = std::make_shared<SpawnAttempt>();
  SpawnLater("aborted", std::move(request));
  ASSERT_TRUE(trace_->WaitFor("try " + ChildProgram("copy_input")));
  EXPECT_TRUE(attempt->Abort());
  EXPECT_EQ(Info().starting, 1u);  // behind the abort
  aborted.set_value();
  trace_->WaitFor(
      "aborted: the start was aborted while it waited for its turn");
  EXPECT_TRUE(WaitForInfo([](auto& i) { return i.live + i.starting == 0; }));
}

// A try that hangs is ended by it, and the spawner is free for the next.
TEST_F(SpawnAdmissionTest, AStartThatHangsEndsWithItsAttempt) {
  LeasedProgram program;
  if (!program.held()) GTEST_SKIP() << "no leases on this file system";
  Limit({});
  SpawnChild request = Request({.argv = {program.path()}});
  auto attempt = request.attempt;
  SpawnLater("hanging", std::move(request));
  ASSERT_TRUE(WaitForInfo([](auto& info) { return info.starting == 1; }));
  EXPECT_TRUE(attempt->Abort());
  EXPECT_TRUE(Make({.argv = {ChildProgram("exit_with")}}).ok());
  EXPECT_TRUE(trace_->WaitForPrefix("hanging: "));
  EXPECT_EQ(trace_->Count("hanging: made"), 0u);
}

TEST_F(SpawnAdmissionTest, KilledItAnswersEveryoneWhoWaits) {
  std::promise<void> over;
  LimitScripted({.starting = 1},
                [until = over.get_future().share()](const Command&) {
                  until.wait();
                  return absl::NotFoundError("late");
                });
  SpawnLater("first", Request({.argv = {"x"}}));
  ASSERT_TRUE(trace_->WaitFor("try x"));
  SpawnChild second = Request({.argv = {"y"}});
  auto attempt = second.attempt;
  SpawnLater("second", std::move(second));
  ASSERT_TRUE(WaitForInfo([](auto& info) { return info.waiting == 1; }));
  caf::anon_send_exit(admission_, caf::exit_reason::kill);
  EXPECT_TRUE(trace_->WaitFor("first: who was asked has ended"));
  EXPECT_TRUE(trace_->WaitFor("second: who was asked has ended"));
  EXPECT_FALSE(attempt->Abort());
  over.set_value();
}

// The spawner is free for the next, long before the lease is over.
TEST_F(SpawnAdmissionTest, KilledItEndsTheSpawnThatHangs) {
  LeasedProgram program;
  if (!program.held()) GTEST_SKIP() << "no leases on this file system";
  Limit({});
  SpawnLater("hanging", Request({.argv = {program.path()}}));
  ASSERT_TRUE(WaitForInfo([](auto& info) { return info.starting == 1; }));
  caf::anon_send_exit(admission_, caf::exit_reason::kill);
  EXPECT_TRUE(Ask<ChildSpawned>(spawner_,
                                Request({.argv = {ChildProgram("exit_with")}}))
                  .ok());
}

}  // namespace
}  // namespace troupe
