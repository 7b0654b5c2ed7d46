#include "examples/troupe/ending.h"

#include <signal.h>

namespace troupe {
namespace {

sigset_t previous;

}  // namespace

void TakeNoSignals() {
  sigset_t all;
  sigfillset(&all);
  // A fault that is blocked would end us without a sanitizer's report.
  for (int fault : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGTRAP}) {
    sigdelset(&all, fault);
  }
  pthread_sigmask(SIG_BLOCK, &all, &previous);
}

void TakeSignals() { pthread_sigmask(SIG_SETMASK, &previous, nullptr); }

}  // namespace troupe
