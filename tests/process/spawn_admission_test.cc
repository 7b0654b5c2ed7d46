#include "process/spawn_admission.h"

#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <functional>
#include <future>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "caf/actor_cast.hpp"
#include "caf/exit_reason.hpp"
#include "caf/send.hpp"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "io/io_thread.h"
#include "io/os_error.h"
#include "io/virtual_clock.h"
#include "process/pipeline_actor.h"
#include "process/pipeline_messages.h"
#include "tests/support/leased_program.h"
#include "tests/support/process_fixture.h"
#include "tests/support/sanitized.h"
#include "tests/support/yield_until.h"

namespace troupe {
namespace {

using std::chrono::milliseconds;
using ::testing::ElementsAre;
using ::testing::MatchesRegex;

class SpawnAdmissionTest : public ProcessTest {
 protected:
  void Limit(AdmissionLimits limits) {
    admission_ = SpawnAdmission(host(), io(), spawner_, limits);
  }
  // Notes the program of each start and answers with what `answer` says; when
  // that is nothing, the real spawner does.
  void LimitScripted(AdmissionLimits limits,
                     std::function<absl::Status(const Command&)> answer) {
    scripted_ = system_->spawn<caf::hidden>(
        [=, trace = trace_, real = spawner_,
         made_by = &made_by_](Spawner::pointer self) -> Spawner::behavior_type {
          return {
              [=](SpawnChild& request) -> caf::result<ChildSpawned> {
                trace->Add(absl::StrCat("try ", request.command.argv[0]));
                absl::Status status = answer(request.command);
                if (!status.ok()) return MakeError(status);
                if (*made_by != nullptr) request.attempt = *made_by;
                return self->delegate(real, std::move(request));
              },
          };
        });
    admission_ = SpawnAdmission(host(), io(), scripted_, limits);
  }
  ~SpawnAdmissionTest() override {
    admission_ = Admission();
    scripted_ = Spawner();
  }

  Subprocess NewLimited() {
    ProcessServices limited = services();
    limited.spawner = admission_;
    return SpawnSubprocess(limited);
  }
  StartProcess Waiting() {
    StartProcess start = Piped({ChildProgram("copy_input")});
    start.observer = NewObserver();
    return start;
  }
  static SpawnChild Request(Command command) {
    return {std::move(command), std::make_shared<SpawnAttempt>()};
  }
  AdmissionInfo Info() {
    auto info = Ask<AdmissionInfo>(admission_, AskAdmission{});
    return info.ok() ? *info : AdmissionInfo{};
  }
  // Asks again and again.
  bool WaitForInfo(std::function<bool(const AdmissionInfo&)> holds) {
    for (int i = 0; i < 100000; ++i) {
      if (holds(Info())) return true;
    }
    return false;
  }
  bool WaitForWaiting(size_t waiting) {
    return WaitForInfo([=](const AdmissionInfo& info) {
      return info.waiting == waiting && info.starting == 0;
    });
  }
  // The answer goes into the trace: `label: made`, or why not.
  void SpawnLater(const std::string& label, SpawnChild request) {
    system_->spawn<caf::hidden>([=, trace = trace_, admission = admission_](
                                    caf::event_based_actor* self) {
      self->request(admission, caf::infinite, request)
          .then([=](const ChildSpawned&) { trace->Add(label + ": made"); },
                [=](const caf::error& why) {
                  trace->Add(absl::StrCat(
                      label, ": ", std::string(StatusOf(why).message())));
                });
    });
  }

  Admission admission_;
  Spawner scripted_;
  // Of the scripted spawner, for an abort that comes too late for the real one.
  std::shared_ptr<SpawnAttempt> made_by_;
};

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
      auto made = Ask<ChildSpawned>(
          admission_, Request({.argv = {ChildProgram("copy_input")},
                               .stdin_from = Stdio::Pipe()}));
      ASSERT_TRUE(made.ok()) << made.status();
      pid = made->child->pid();
      EXPECT_FALSE(IsGone(pid));
    }
    auto next = Ask<ChildSpawned>(
        admission_, Request({.argv = {ChildProgram("exit_with"), "0"}}));
    ASSERT_TRUE(next.ok());
    EXPECT_TRUE(IsGone(pid));
  }
}

TEST_F(SpawnAdmissionTest, OwnersTakeTurns) {
  LimitScripted({.live = 1, .starting = 1}, [](const Command& command) {
    return command.argv[0] == "/bin/cat" ? absl::OkStatus()
                                         : absl::NotFoundError(command.argv[0]);
  });
  auto held = Ask<ChildSpawned>(
      admission_, Request({.argv = {"/bin/cat"}, .stdin_from = Stdio::Pipe()}));
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

TEST_F(SpawnAdmissionTest, AStartInLineEndsWithItsOwner) {
  Limit({.live = 1});
  auto held = Ask<ChildSpawned>(admission_,
                                Request({.argv = {ChildProgram("copy_input")},
                                         .stdin_from = Stdio::Pipe()}));
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
  auto held = Ask<ChildSpawned>(admission_,
                                Request({.argv = {ChildProgram("copy_input")},
                                         .stdin_from = Stdio::Pipe()}));
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
}

// A subprocess whose observer dies stops it by plan, which aborts the attempt.
TEST_F(SpawnAdmissionTest, AStartInLineEndsWithItsAttempt) {
  Limit({.live = 1});
  auto held = Ask<ChildSpawned>(admission_,
                                Request({.argv = {ChildProgram("copy_input")},
                                         .stdin_from = Stdio::Pipe()}));
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

TEST_F(SpawnAdmissionTest, TriesAgainWhatFailedForWant) {
  std::vector<int> errors = {EAGAIN, EMFILE, ENFILE, ENOMEM};
  LimitScripted({.first_wait = milliseconds(1)},
                [errors](const Command&) mutable {
                  if (errors.empty()) return absl::OkStatus();
                  const int error = errors.back();
                  errors.pop_back();
                  return OsError(error, "clone");
                });
  auto made = Ask<ChildSpawned>(
      admission_, Request({.argv = {ChildProgram("exit_with"), "0"}}));
  EXPECT_TRUE(made.ok()) << made.status();
  EXPECT_EQ(trace_->Count("try " + ChildProgram("exit_with")), 5u);
}

TEST_F(SpawnAdmissionTest, FailsInTheEndWithWhatWasTried) {
  LimitScripted({.first_wait = milliseconds(1), .patience = milliseconds(20)},
                [](const Command&) { return OsError(EAGAIN, "clone"); });
  auto made = Ask<ChildSpawned>(
      admission_, Request({.argv = {ChildProgram("exit_with"), "0"}}));
  EXPECT_EQ(made.status().code(), absl::StatusCode::kUnavailable);
  EXPECT_THAT(std::string(made.status().message()),
              MatchesRegex("clone: Resource temporarily unavailable "
                           "\\([0-9]+ tries in [0-9.]+ms\\)"));
  EXPECT_EQ(OsFailureOf(made.status())->error_number, EAGAIN);
  EXPECT_EQ(Info().waiting, 0u);
}

TEST_F(SpawnAdmissionTest, WaitsForDescriptors) {
  if (kSanitized) GTEST_SKIP() << "the sanitizer itself needs descriptors";
  Limit({});
  rlimit before;
  getrlimit(RLIMIT_NOFILE, &before);
  OwnedFd next(dup(0));
  rlimit low = {static_cast<rlim_t>(next.get()) + 1, before.rlim_max};
  next.Close();
  setrlimit(RLIMIT_NOFILE, &low);
  SpawnLater("child", Request({.argv = {ChildProgram("exit_with"), "0"},
                               .stdin_from = Stdio::Pipe(),
                               .stdout_to = Stdio::Pipe()}));
  EXPECT_TRUE(WaitForWaiting(1));
  setrlimit(RLIMIT_NOFILE, &before);
  EXPECT_TRUE(trace_->WaitFor("child: made"));
}

// The limit of one user is not everybody's.
TEST_F(SpawnAdmissionTest, AnotherUsersLimitKeepsNobodyElseWaiting) {
  if (getuid() != 0) GTEST_SKIP() << "needs root";
  Limit({.patience = std::chrono::hours(1)});
  auto first = Ask<ChildSpawned>(
      admission_,
      Request(
          {.argv = {"/bin/cat"}, .stdin_from = Stdio::Pipe(), .uid = 54322}));
  ASSERT_TRUE(first.ok()) << first.status();
  SpawnChild limited = Request({.argv = {"/bin/cat"},
                                .stdin_from = Stdio::Pipe(),
                                .limits = {{RLIMIT_NPROC, 0, 0}},
                                .uid = 54322});
  auto attempt = limited.attempt;
  SpawnLater("limited", std::move(limited));
  ASSERT_TRUE(WaitForWaiting(1));
  auto other = Ask<ChildSpawned>(
      admission_, Request({.argv = {ChildProgram("exit_with"), "0"}}));
  EXPECT_TRUE(other.ok()) << other.status();
  EXPECT_EQ(Info().waiting, 1u);
  attempt->Abort();
  trace_->WaitFor(
      "limited: the start was aborted while it waited for its turn");
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
  ProcessServices limited = services();
  limited.spawner = admission_;
  StartPipeline start;
  start.pipeline.commands.assign(3, {.argv = {"cat"}});
  start.pipeline.commands.front().stdin_from = Stdio::Null();
  auto started = Ask<PipelineStarted>(SpawnPipeline(limited), start);
  EXPECT_TRUE(absl::IsFailedPrecondition(started.status()));
  EXPECT_EQ(started.status().message(),
            "command 1 of 3: 3 children must live at once, but 2 may");
  start.pipeline.commands.pop_back();
  PipelineActor pair = SpawnPipeline(limited);
  started = Ask<PipelineStarted>(pair, start);
  EXPECT_TRUE(started.ok()) << started.status();
  EXPECT_TRUE(Ask<PipelineEnded>(pair, WaitForEnd{}).ok());
}

// Its waits are those of its host's clock.
TEST_F(SpawnAdmissionTest, WaitsByTheClockOfItsHost) {
  VirtualClock clock;
  IoThread::Options options;
  options.clock = &clock;
  auto thread = IoThread::Start(*system_, std::move(options));
  ASSERT_TRUE(thread.ok()) << thread.status();
  int tries = 0;
  LimitScripted({}, [&](const Command&) {
    return ++tries < 3 ? OsError(EAGAIN, "clone") : absl::NotFoundError("x");
  });
  admission_ = SpawnAdmission((*thread)->host(), (*thread)->actor(), scripted_,
                              {.first_wait = std::chrono::hours(1),
                               .longest_wait = std::chrono::hours(1),
                               .patience = std::chrono::hours(100)});
  EXPECT_EQ(Ask<ChildSpawned>(admission_, Request({.argv = {"x"}}))
                .status()
                .message(),
            "x");
  EXPECT_EQ(tries, 3);
  EXPECT_GE(clock.NowNs(), absl::ToInt64Nanoseconds(absl::Hours(2)));
  (*thread)->Stop();
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
