// Rule 7: a synchronous fault is not a delivery. What should end a process ends
// a child.
#include <fenv.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstring>
#include <string>
#include <vector>

#include "signals/signal_pipe.h"
#include "tests/support/leak_check.h"

namespace troupe {
namespace {

// The wait status of a child that runs `body` and exits with what it returns.
template <class Body>
int StatusOfChild(Body body) {
  const pid_t child = fork();
  if (child == 0) _exit(body());
  int status = -1;
  waitpid(child, &status, 0);
  return status;
}

void Fault(int number) {
  const long page = sysconf(_SC_PAGESIZE);
  if (number == SIGILL) __builtin_trap();
  if (number == SIGFPE) {
    feenableexcept(FE_DIVBYZERO);
    volatile double zero = 0, one = 1;
    one = one / zero;
  }
  const int memory = memfd_create("empty", MFD_CLOEXEC);
  const int protection = number == SIGSEGV ? PROT_NONE : PROT_READ;
  // SIGBUS: a page beyond the end of the file.
  void* address = mmap(nullptr, page, protection, MAP_SHARED, memory, 0);
  [[maybe_unused]] volatile char c = *static_cast<volatile char*>(address);
}

class FaultTest : public LeakCheckedTest,
                  public ::testing::WithParamInterface<int> {};

TEST_P(FaultTest, ARealFaultStillEndsTheProgram) {
  const int status = StatusOfChild([] {
    signal(GetParam(), SIG_DFL);  // not the sanitizer's
    auto pipe = SignalPipe::Create().value();
    pipe->Catch(GetParam()).IgnoreError();
    Fault(GetParam());
    return 0;
  });
  ASSERT_TRUE(WIFSIGNALED(status)) << status;
  EXPECT_EQ(WTERMSIG(status), GetParam());
}

TEST_P(FaultTest, ARealFaultReachesTheHandlerThatWasThereBefore) {
  const int status = StatusOfChild([] {
    struct sigaction action {};
    action.sa_sigaction = [](int number, siginfo_t* info, void*) {
      _exit(info->si_code > 0 && number == GetParam() ? 42 : 1);
    };
    action.sa_flags = SA_SIGINFO;
    sigaction(GetParam(), &action, nullptr);
    auto pipe = SignalPipe::Create().value();
    pipe->Catch(GetParam()).IgnoreError();
    Fault(GetParam());
    return 0;
  });
  ASSERT_TRUE(WIFEXITED(status)) << status;
  EXPECT_EQ(WEXITSTATUS(status), 42);
}

TEST_P(FaultTest, TheSameSignalSentByKillIsADelivery) {
  auto pipe = SignalPipe::Create().value();
  ASSERT_TRUE(pipe->Catch(GetParam()).ok());
  kill(getpid(), GetParam());
  raise(GetParam());
  std::vector<SignalDelivery> out;
  pipe->Drain(out);
  ASSERT_EQ(out.size(), 2u);
  EXPECT_EQ(out[0].number, GetParam());
  EXPECT_EQ(out[0].code, SI_USER);
  EXPECT_EQ(out[1].code, SI_TKILL);
}

INSTANTIATE_TEST_SUITE_P(Signals, FaultTest,
                         ::testing::Values(SIGSEGV, SIGBUS, SIGFPE, SIGILL),
                         [](const ::testing::TestParamInfo<int>& info) {
                           return std::string(sigabbrev_np(info.param));
                         });

}  // namespace
}  // namespace troupe
