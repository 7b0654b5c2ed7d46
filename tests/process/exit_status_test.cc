#include "process/exit_status.h"

#include <sys/wait.h>

#include "gtest/gtest.h"

namespace troupe {
namespace {

siginfo_t Info(int code, int status) {
  siginfo_t info = {};
  info.si_code = code;
  info.si_status = status;
  return info;
}

// A wait status as the kernel packs it: the code in the second byte.
constexpr int Packed(int code) { return code << 8; }

TEST(ExitStatusTest, ReadsASiginfo) {
  EXPECT_EQ(ExitStatus::FromSiginfo(Info(CLD_EXITED, 3)),
            ExitStatus::Exited(3));
  EXPECT_EQ(ExitStatus::FromSiginfo(Info(CLD_KILLED, SIGTERM)),
            ExitStatus::Killed(SIGTERM));
  EXPECT_EQ(ExitStatus::FromSiginfo(Info(CLD_DUMPED, SIGSEGV)),
            ExitStatus::Killed(SIGSEGV, /*core_dumped=*/true));
  EXPECT_TRUE(ExitStatus::FromSiginfo(Info(CLD_STOPPED, SIGSTOP)).lost());
}

TEST(ExitStatusTest, ReadsAWaitStatus) {
  EXPECT_EQ(ExitStatus::FromWaitStatus(Packed(3)), ExitStatus::Exited(3));
  EXPECT_EQ(ExitStatus::FromWaitStatus(SIGTERM), ExitStatus::Killed(SIGTERM));
  EXPECT_EQ(ExitStatus::FromWaitStatus(SIGSEGV | 0x80),
            ExitStatus::Killed(SIGSEGV, /*core_dumped=*/true));
  EXPECT_FALSE(ExitStatus::FromWaitStatus(W_STOPCODE(SIGSTOP)).has_value());
}

TEST(ExitStatusTest, SaysItInWords) {
  EXPECT_EQ(ExitStatus::Exited(3).ToString(), "exit code 3");
  EXPECT_EQ(ExitStatus::Killed(SIGTERM).ToString(), "killed by SIGTERM");
  EXPECT_EQ(ExitStatus::Killed(SIGSEGV, true).ToString(),
            "killed by SIGSEGV (core dumped)");
  EXPECT_EQ(ExitStatus::Lost().ToString(), "exit status lost");
}

TEST(ExitStatusTest, HasAShellsCode) {
  EXPECT_EQ(ExitStatus::Exited(3).ShellCode(), 3);
  EXPECT_EQ(ExitStatus::Killed(SIGTERM).ShellCode(), 143);
}

// Row P22: eight bits of the code count, the core flag does not.
TEST(ExitStatusTest, HasAsynciosReturnCode) {
  EXPECT_EQ(ExitStatus::Exited(0).ReturnCode(), 0);
  EXPECT_EQ(ExitStatus::Exited(256).ReturnCode(), 0);
  EXPECT_EQ(ExitStatus::Exited(300).ReturnCode(), 44);
  EXPECT_EQ(ExitStatus::Killed(SIGSEGV, true).ReturnCode(), -11);
}

// Row RC1.
TEST(ExitStatusTest, ReturnsMinusTheSignal) {
  EXPECT_EQ(ReturnCodeFromWaitStatus(SIGTERM), -SIGTERM);
  EXPECT_EQ(ReturnCodeFromWaitStatus(SIGSEGV | 0x80), -SIGSEGV);
}

// Row RC2.
TEST(ExitStatusTest, ReturnsTheCode) {
  EXPECT_EQ(ReturnCodeFromWaitStatus(Packed(255)), 255);
}

// Row RC3, with the number of asyncio's own test.
TEST(ExitStatusTest, ReturnsAStatusThatIsNoEndUnchanged) {
  EXPECT_EQ(ReturnCodeFromWaitStatus(W_STOPCODE(SIGSTOP)), W_STOPCODE(SIGSTOP));
  EXPECT_EQ(ReturnCodeFromWaitStatus(0xffff), 0xffff);
}

// Row RC4.
TEST(ExitStatusTest, Returns255ForALostStatus) {
  EXPECT_EQ(ExitStatus().ReturnCode(), 255);
  EXPECT_TRUE(ExitStatus().lost());
}

TEST(ExitStatusTest, IsASuccessOnlyWithCodeZero) {
  EXPECT_TRUE(ExitStatus::Exited(0).success());
  EXPECT_FALSE(ExitStatus::Exited(1).success());
  EXPECT_FALSE(ExitStatus::Killed(SIGKILL).success());
  EXPECT_FALSE(ExitStatus::Lost().success());
}

}  // namespace
}  // namespace troupe
