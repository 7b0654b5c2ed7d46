// What an admission does when processes, descriptors or memory run out.
#include <sys/resource.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "io/io_thread.h"
#include "io/os_error.h"
#include "io/owned_fd.h"
#include "io/virtual_clock.h"
#include "process/spawn_admission.h"
#include "tests/process/admission_fixture.h"
#include "tests/support/sanitized.h"

namespace troupe {
namespace {

using std::chrono::milliseconds;
using ::testing::MatchesRegex;

TEST_F(SpawnAdmissionTest, TriesAgainWhatFailedForWant) {
  std::vector<int> errors = {EAGAIN, EMFILE, ENFILE, ENOMEM};
  LimitScripted({.first_wait = milliseconds(1)},
                [errors](const Command&) mutable {
                  if (errors.empty()) return absl::OkStatus();
                  const int error = errors.back();
                  errors.pop_back();
                  return OsError(error, "clone");
                });
  auto made = Make({.argv = {ChildProgram("exit_with"), "0"}});
  EXPECT_TRUE(made.ok()) << made.status();
  EXPECT_EQ(trace_->Count("try " + ChildProgram("exit_with")), 5u);
}

TEST_F(SpawnAdmissionTest, FailsInTheEndWithWhatWasTried) {
  LimitScripted({.first_wait = milliseconds(1), .patience = milliseconds(20)},
                [](const Command&) { return OsError(EAGAIN, "clone"); });
  auto made = Make({.argv = {ChildProgram("exit_with"), "0"}});
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
  auto first =
      Make({.argv = {"/bin/cat"}, .stdin_from = Stdio::Pipe(), .uid = 54322});
  ASSERT_TRUE(first.ok()) << first.status();
  SpawnChild limited = Request({.argv = {"/bin/cat"},
                                .stdin_from = Stdio::Pipe(),
                                .limits = {{RLIMIT_NPROC, 0, 0}},
                                .uid = 54322});
  auto attempt = limited.attempt;
  SpawnLater("limited", std::move(limited));
  ASSERT_TRUE(WaitForWaiting(1));
  auto other = Make({.argv = {ChildProgram("exit_with"), "0"}});
  EXPECT_TRUE(other.ok()) << other.status();
  EXPECT_EQ(Info().waiting, 1u);
  attempt->Abort();
  trace_->WaitFor(
      "limited: the start was aborted while it waited for its turn");
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
  EXPECT_EQ(Make({.argv = {"x"}}).status().message(), "x");
  EXPECT_EQ(tries, 3);
  EXPECT_GE(clock.NowNs(), absl::ToInt64Nanoseconds(absl::Hours(2)));
  (*thread)->Stop();
}

}  // namespace
}  // namespace troupe
