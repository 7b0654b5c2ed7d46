#include "io/thread_mask.h"

#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <ctime>
#include <initializer_list>

namespace troupe {
namespace {

bool SigpipePending() {
  sigset_t pending;
  sigpending(&pending);
  return sigismember(&pending, SIGPIPE) == 1;
}

// The kernel names the writer's own process as the sender (signal(7), EPIPE in
// write(2)). Linux hands out a thread's own signals before the process's.
void ConsumeOwnSigpipe() {
  const sigset_t set = OnlySignal(SIGPIPE);
  const timespec now{};
  siginfo_t info;
  int taken;
  do {
    taken = sigtimedwait(&set, &info, &now);
  } while (taken < 0 && errno == EINTR);
  if (taken < 0) return;
  const bool ours = info.si_code == SI_USER && info.si_pid == getpid();
  if (!ours) syscall(SYS_rt_sigqueueinfo, getpid(), SIGPIPE, &info);
}

}  // namespace

sigset_t OnlySignal(int number) {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, number);
  return set;
}

BlockAllSignals::BlockAllSignals() {
  sigset_t set;
  sigfillset(&set);
  for (int own : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGSYS, SIGABRT,
                  SIGTTIN, SIGTTOU}) {
    sigdelset(&set, own);
  }
  pthread_sigmask(SIG_BLOCK, &set, &previous_);
}

BlockAllSignals::~BlockAllSignals() {
  pthread_sigmask(SIG_SETMASK, &previous_, nullptr);
}

ScopedSigpipeBlock::ScopedSigpipeBlock() {
  const sigset_t set = OnlySignal(SIGPIPE);
  pthread_sigmask(SIG_BLOCK, &set, &previous_);
  // Unblocked until now means delivered until now.
  was_pending_ = sigismember(&previous_, SIGPIPE) == 1 && SigpipePending();
}

ScopedSigpipeBlock::~ScopedSigpipeBlock() {
  const int saved = errno;
  if (!was_pending_) ConsumeOwnSigpipe();
  pthread_sigmask(SIG_SETMASK, &previous_, nullptr);
  errno = saved;
}

}  // namespace troupe
