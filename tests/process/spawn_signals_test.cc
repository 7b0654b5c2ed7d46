// The child's signals: core rule 5, "all 64 signals are blocked" and
// "dispositions", and row P5.
#include <pthread.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdint>
#include <string>
#include <thread>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "process/spawn.h"
#include "tests/process/ran_child.h"
#include "tests/support/child_program.h"
#include "tests/support/leak_check.h"
#include "tests/support/seccomp_filter.h"

namespace troupe {
namespace {

constexpr uint64_t Bit(int signal) { return uint64_t{1} << (signal - 1); }

// A disposition for as long as the test lasts.
class Disposition {
 public:
  Disposition(int signal, void (*handler)(int)) : signal_(signal) {
    struct sigaction action = {};
    action.sa_handler = handler;
    action.sa_flags = SA_RESTART;
    sigaction(signal, &action, &before_);
  }
  ~Disposition() { sigaction(signal_, &before_, nullptr); }
  Disposition(const Disposition&) = delete;
  Disposition& operator=(const Disposition&) = delete;

 private:
  int signal_;
  struct sigaction before_;
};

struct SignalMasks {
  uint64_t blocked, ignored, caught;
};

SignalMasks MasksOf(const Command& command) {
  auto facts = Facts(OutputOf(command));
  auto mask = [&](const char* name) {
    return std::stoull("0" + facts[name], nullptr, 16);
  };
  return {mask("SigBlk"), mask("SigIgn"), mask("SigCgt")};
}

class SpawnSignalsTest : public LeakCheckedTest {
 protected:
  Command PrintSignals() { return {.argv = {ChildProgram("print_signals")}}; }
};

// Row P5 differs: asyncio lets the blocked mask through.
TEST_F(SpawnSignalsTest, ResetsMaskAndHandlersInTheChild) {
  Disposition caught(SIGUSR1, [](int) {});
  sigset_t some, before;
  sigemptyset(&some);
  sigaddset(&some, SIGTERM);
  sigaddset(&some, SIGRTMIN);
  pthread_sigmask(SIG_BLOCK, &some, &before);
  SignalMasks masks = MasksOf(PrintSignals());
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  EXPECT_EQ(masks.blocked, 0u);
  EXPECT_FALSE(masks.caught & Bit(SIGUSR1));
  EXPECT_FALSE(masks.ignored & Bit(SIGUSR1));
}

// Row P5: nohup(1) depends on it.
TEST_F(SpawnSignalsTest, KeepsIgnoredSignalsIgnored) {
  Disposition ignored(SIGHUP, SIG_IGN);
  EXPECT_TRUE(MasksOf(PrintSignals()).ignored & Bit(SIGHUP));
}

// Row P5: restore_signals.
TEST_F(SpawnSignalsTest, ResetsSigpipeAndSigxfszEvenWhenIgnored) {
  Disposition pipe(SIGPIPE, SIG_IGN), size(SIGXFSZ, SIG_IGN);
  EXPECT_FALSE(MasksOf(PrintSignals()).ignored & (Bit(SIGPIPE) | Bit(SIGXFSZ)));
}

TEST_F(SpawnSignalsTest, ResetsIgnoredSignalsWhenAsked) {
  Disposition hangup(SIGHUP, SIG_IGN), real_time(SIGRTMIN, SIG_IGN);
  Command command = PrintSignals();
  command.signals.ignored_to_default = true;
  EXPECT_EQ(MasksOf(command).ignored, 0u);
}

// Ask 10 of the peers: the mask is the command's, not the spawning thread's.
TEST_F(SpawnSignalsTest, BlocksWhatTheCommandSays) {
  Command command = PrintSignals();
  command.signals.blocked = {SIGHUP, SIGRTMIN, 64};
  EXPECT_EQ(MasksOf(command).blocked, Bit(SIGHUP) | Bit(SIGRTMIN) | Bit(64));
}

TEST_F(SpawnSignalsTest, IgnoresWhatTheCommandSays) {
  Disposition caught(SIGUSR1, [](int) {});
  Command command = PrintSignals();
  command.signals.dispositions = {{SIGINT, SignalDisposition::kIgnore},
                                  {SIGUSR1, SignalDisposition::kIgnore},
                                  {SIGPIPE, SignalDisposition::kIgnore},
                                  {64, SignalDisposition::kIgnore}};
  command.signals.ignored_to_default = true;
  EXPECT_EQ(MasksOf(command).ignored,
            Bit(SIGINT) | Bit(SIGUSR1) | Bit(SIGPIPE) | Bit(64));
}

TEST_F(SpawnSignalsTest, ResetsOneIgnoredSignalAndNoOther) {
  Disposition hangup(SIGHUP, SIG_IGN), interrupt(SIGINT, SIG_IGN);
  Command command = PrintSignals();
  command.signals.dispositions = {{SIGHUP, SignalDisposition::kDefault}};
  uint64_t ignored = MasksOf(command).ignored;
  EXPECT_FALSE(ignored & Bit(SIGHUP));
  EXPECT_TRUE(ignored & Bit(SIGINT));
}

TEST_F(SpawnSignalsTest, PutsTheCallersMaskBack) {
  uint64_t some = Bit(SIGUSR2) | Bit(33), before = 0, after = 0;
  syscall(SYS_rt_sigprocmask, SIG_SETMASK, &some, &before, sizeof some);
  EXPECT_EQ(RunToEnd({.argv = {ChildProgram("exit_with")}}).status,
            ExitStatus::Exited(0));
  EXPECT_FALSE(Spawn({.argv = {"/no/such"}}).ok());
  syscall(SYS_rt_sigprocmask, SIG_SETMASK, &before, &after, sizeof after);
  EXPECT_EQ(after, some);
}

std::atomic<pid_t> handler_ran_in{0};

// Children of a group that a signal is sent to all the time: it reaches each
// while it is between clone and exec.
std::string SpawnUnderSignals() {
  const pid_t own_group = getpgrp();
  if (setpgid(0, 0) != 0) return "setpgid failed";
  static pid_t self;
  self = getpid();
  handler_ran_in = 0;
  Disposition caught(SIGUSR1, [](int) {
    pid_t here = static_cast<pid_t>(syscall(SYS_getpid));
    if (here != self) handler_ran_in = here;
  });
  std::atomic<bool> stop{false};
  std::thread hammer([&] {
    while (!stop) kill(0, SIGUSR1);
  });
  int killed = 0;
  for (int i = 0; i < 500; ++i) {
    auto child = Spawn({.argv = {ChildProgram("exit_with")}});
    // A child may be killed by the signal, before exec or after; never more.
    if (child.ok()) killed += EndOf(&*child).killed();
  }
  stop = true;
  hammer.join();
  setpgid(0, own_group);
  return absl::StrCat(
      handler_ran_in == 0 ? "our handler never ran in one"
                          : "our handler ran in a child",
      killed > 0 ? ", some were hit" : ", none was hit: nothing was tested");
}

// Core rule 5: a signal before exec ran the parent's handler in the parent's
// memory.
TEST_F(SpawnSignalsTest, SignalDuringCloneDoesNotRunParentHandler) {
  EXPECT_EQ(SpawnUnderSignals(), "our handler never ran in one, some were hit");
}

// Where the kernel does not reset the handlers the child does.
TEST_F(SpawnSignalsTest, NorWhereClone3IsNotKnown) {
  EXPECT_EQ(RunRefusing({{SYS_clone3, ENOSYS}}, SpawnUnderSignals),
            "our handler never ran in one, some were hit");
}

}  // namespace
}  // namespace troupe
