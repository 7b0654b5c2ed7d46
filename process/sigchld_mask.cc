#include "process/sigchld_mask.h"

#include <signal.h>

#include "io/thread_mask.h"

namespace troupe {

void BlockSigchldIfHandled() {
  struct sigaction now;
  sigaction(SIGCHLD, nullptr, &now);
  const bool handled = now.sa_handler != SIG_DFL && now.sa_handler != SIG_IGN;
  const sigset_t sigchld = OnlySignal(SIGCHLD);
  pthread_sigmask(handled ? SIG_BLOCK : SIG_UNBLOCK, &sigchld, nullptr);
}

}  // namespace troupe
