#include "process/sigchld_mask.h"

#include <signal.h>

namespace troupe {

bool SigchldIsHandled() {
  struct sigaction now;
  sigaction(SIGCHLD, nullptr, &now);
  return now.sa_handler != SIG_DFL && now.sa_handler != SIG_IGN;
}

void BlockSigchldIfHandled() {
  sigset_t sigchld;
  sigemptyset(&sigchld);
  sigaddset(&sigchld, SIGCHLD);
  pthread_sigmask(SigchldIsHandled() ? SIG_BLOCK : SIG_UNBLOCK, &sigchld,
                  nullptr);
}

}  // namespace troupe
