// send_signals PID standard COUNT   kill: SIGUSR1 and SIGUSR2 in turn
// send_signals PID realtime COUNT   sigqueue: SIGRTMIN with 0, 1, 2, ...
// send_signals PID last             one of each; the value is -1
#include <sched.h>
#include <signal.h>
#include <sys/types.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>

namespace {

// EAGAIN: as many wait as the kernel allows (RLIMIT_SIGPENDING).
bool SendValue(pid_t pid, int value) {
  sigval sent;
  sent.sival_int = value;
  while (sigqueue(pid, SIGRTMIN, sent) != 0) {
    if (errno != EAGAIN) return false;
    sched_yield();
  }
  return true;
}

bool SendStandard(pid_t pid, int i) {
  return kill(pid, i % 2 == 0 ? SIGUSR1 : SIGUSR2) == 0;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 3) return 2;
  const pid_t pid = atoi(argv[1]);
  if (strcmp(argv[2], "last") == 0) {
    return SendStandard(pid, 0) && SendStandard(pid, 1) && SendValue(pid, -1)
               ? 0
               : 1;
  }
  const bool standard = strcmp(argv[2], "standard") == 0;
  const int count = argc > 3 ? atoi(argv[3]) : 0;
  for (int i = 0; i < count; ++i) {
    if (!(standard ? SendStandard(pid, i) : SendValue(pid, i))) return 1;
  }
}
