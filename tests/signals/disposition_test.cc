#include "signals/disposition.h"

#include <signal.h>

#include "absl/strings/str_cat.h"
#include "tests/support/leak_check.h"

namespace troupe {
namespace {

void Ours(int, siginfo_t*, void*) {}
void Theirs(int) {}
void TheirsToo(int) {}

struct sigaction Current(int number) {
  struct sigaction action {};
  sigaction(number, nullptr, &action);
  return action;
}

class DispositionTest : public LeakCheckedTest {
 protected:
  ~DispositionTest() override {
    RestoreAllDispositions();
    for (int number : {SIGUSR1, SIGUSR2, SIGPIPE}) signal(number, SIG_DFL);
  }
};

// S4.
TEST_F(DispositionTest, RefusesNumbersThatAreNoSignal) {
  for (int number : {0, -1, 65, 1000, 32, 33}) {
    const std::string text = absl::StrCat("invalid signal number ", number);
    for (const absl::Status& status :
         {CheckSignalNumber(number), InstallHandler(number, &Ours),
          RestoreDisposition(number)}) {
      EXPECT_TRUE(absl::IsInvalidArgument(status)) << number;
      EXPECT_EQ(status.message(), text);
    }
  }
}

TEST_F(DispositionTest, AcceptsEveryNumberThatIsASignal) {
  for (int number = 1; number <= 64; ++number) {
    if (number == 32 || number == 33) continue;
    EXPECT_TRUE(CheckSignalNumber(number).ok()) << number;
  }
}

// S5; releasing one is "nothing was set".
TEST_F(DispositionTest, SaysThatKillAndStopCannotBeCaught) {
  absl::Status kill = InstallHandler(SIGKILL, &Ours);
  EXPECT_TRUE(absl::IsFailedPrecondition(kill));
  EXPECT_EQ(kill.message(), "sig 9 cannot be caught");
  EXPECT_EQ(InstallHandler(SIGSTOP, &Ours).message(),
            "sig 19 cannot be caught");
  EXPECT_TRUE(absl::IsNotFound(RestoreDisposition(SIGKILL)));
}

// S20, and S21's SIGCHLD: no number is the library's own.
TEST_F(DispositionTest, CatchesEveryOtherSignal) {
  for (int number = 1; number <= 64; ++number) {
    if (number == SIGKILL || number == SIGSTOP) continue;
    if (number == 32 || number == 33) continue;
    const auto before = Current(number).sa_handler;
    EXPECT_TRUE(InstallHandler(number, &Ours).ok()) << number;
    EXPECT_EQ(Current(number).sa_sigaction, &Ours) << number;
    EXPECT_TRUE(RestoreDisposition(number).ok()) << number;
    EXPECT_EQ(Current(number).sa_handler, before) << number;
  }
}

// S14: a system call that can be restarted is.
TEST_F(DispositionTest, RestartsCallsOnTheOtherStackWithAllSignalsBlocked) {
  ASSERT_TRUE(InstallHandler(SIGUSR1, &Ours).ok());
  const struct sigaction action = Current(SIGUSR1);
  const int flags = SA_RESTART | SA_SIGINFO | SA_ONSTACK;
  EXPECT_EQ(action.sa_flags & flags, flags);
  EXPECT_EQ(action.sa_flags & (SA_NODEFER | SA_RESETHAND), 0u);
  for (int number : {SIGHUP, SIGUSR1, SIGSEGV, SIGCHLD, SIGRTMIN, SIGRTMAX}) {
    EXPECT_EQ(sigismember(&action.sa_mask, number), 1) << number;
  }
}

// S9 does the default instead.
TEST_F(DispositionTest, RestoresTheIgnoredTheDefaultAndTheHandled) {
  for (sighandler_t before : {SIG_IGN, SIG_DFL, &Theirs}) {
    signal(SIGUSR1, before);
    ASSERT_TRUE(InstallHandler(SIGUSR1, &Ours).ok());
    ASSERT_TRUE(RestoreDisposition(SIGUSR1).ok());
    EXPECT_EQ(Current(SIGUSR1).sa_handler, before);
  }
}

TEST_F(DispositionTest, RestoresFlagsAndMaskWithTheHandler) {
  struct sigaction before {};
  before.sa_handler = &Theirs;
  before.sa_flags = SA_NODEFER | SA_NOCLDSTOP;
  sigaddset(&before.sa_mask, SIGHUP);
  sigaction(SIGUSR1, &before, nullptr);
  ASSERT_TRUE(InstallHandler(SIGUSR1, &Ours).ok());
  ASSERT_TRUE(RestoreDisposition(SIGUSR1).ok());
  const struct sigaction after = Current(SIGUSR1);
  EXPECT_EQ(after.sa_flags & (SA_NODEFER | SA_NOCLDSTOP | SA_RESTART),
            SA_NODEFER | SA_NOCLDSTOP);
  EXPECT_EQ(sigismember(&after.sa_mask, SIGHUP), 1);
  EXPECT_EQ(sigismember(&after.sa_mask, SIGINT), 0);
}

TEST_F(DispositionTest, ASecondInstallKeepsWhatTheFirstOneFound) {
  signal(SIGUSR1, &Theirs);
  ASSERT_TRUE(InstallHandler(SIGUSR1, &Ours).ok());
  ASSERT_TRUE(InstallHandler(SIGUSR1, &Ours).ok());
  ASSERT_TRUE(RestoreDisposition(SIGUSR1).ok());
  EXPECT_EQ(Current(SIGUSR1).sa_handler, &Theirs);
  EXPECT_TRUE(absl::IsNotFound(RestoreDisposition(SIGUSR1)));
}

TEST_F(DispositionTest, RestoresNothingThatItDidNotInstall) {
  signal(SIGUSR1, &Theirs);
  EXPECT_TRUE(absl::IsNotFound(RestoreDisposition(SIGUSR1)));
  EXPECT_EQ(Current(SIGUSR1).sa_handler, &Theirs);
}

// V55, V56.
TEST_F(DispositionTest, LeavesAHandlerThatWasInstalledOverOurs) {
  ASSERT_TRUE(InstallHandler(SIGUSR1, &Ours).ok());
  signal(SIGUSR1, &Theirs);
  absl::Status status = RestoreDisposition(SIGUSR1);
  EXPECT_TRUE(absl::IsFailedPrecondition(status)) << status;
  EXPECT_EQ(Current(SIGUSR1).sa_handler, &Theirs);
  EXPECT_TRUE(absl::IsNotFound(RestoreDisposition(SIGUSR1)));
}

TEST_F(DispositionTest, InstalledAgainItRestoresTheOneThatCameBetween) {
  ASSERT_TRUE(InstallHandler(SIGUSR1, &Ours).ok());
  signal(SIGUSR1, &Theirs);
  ASSERT_TRUE(InstallHandler(SIGUSR1, &Ours).ok());
  ASSERT_TRUE(RestoreDisposition(SIGUSR1).ok());
  EXPECT_EQ(Current(SIGUSR1).sa_handler, &Theirs);
}

// The stranger puts back what it found, after we had let go of the number.
TEST_F(DispositionTest, OursPutBackByAStrangerIsNotWhatIsRestored) {
  signal(SIGUSR1, &TheirsToo);
  ASSERT_TRUE(InstallHandler(SIGUSR1, &Ours).ok());
  const struct sigaction ours = Current(SIGUSR1);
  signal(SIGUSR1, &Theirs);
  ASSERT_FALSE(RestoreDisposition(SIGUSR1).ok());
  sigaction(SIGUSR1, &ours, nullptr);
  ASSERT_TRUE(InstallHandler(SIGUSR1, &Ours).ok());
  ASSERT_TRUE(RestoreDisposition(SIGUSR1).ok());
  EXPECT_EQ(Current(SIGUSR1).sa_handler, &TheirsToo);
}

TEST_F(DispositionTest, RestoresAllAtOnceButStrangers) {
  signal(SIGUSR1, SIG_IGN);
  for (int number : {SIGUSR1, SIGUSR2, SIGPIPE}) {
    ASSERT_TRUE(InstallHandler(number, &Ours).ok());
  }
  signal(SIGPIPE, &Theirs);
  RestoreAllDispositions();
  EXPECT_EQ(Current(SIGUSR1).sa_handler, SIG_IGN);
  EXPECT_EQ(Current(SIGUSR2).sa_handler, SIG_DFL);
  EXPECT_EQ(Current(SIGPIPE).sa_handler, &Theirs);
}

}  // namespace
}  // namespace troupe
