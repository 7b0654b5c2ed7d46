// Whether this program ignores a signal, as nohup(1) and a shell's `trap ''`
// and
// `&` ask a program to. Then it is not to be caught.
#ifndef TROUPE_EXAMPLES_TROUPE_IGNORED_SIGNAL_H_
#define TROUPE_EXAMPLES_TROUPE_IGNORED_SIGNAL_H_

#include <signal.h>

namespace troupe {

inline bool SignalIsIgnored(int number) {
  struct sigaction action;
  return sigaction(number, nullptr, &action) == 0 &&
         (action.sa_flags & SA_SIGINFO) == 0 && action.sa_handler == SIG_IGN;
}

}  // namespace troupe

#endif  // TROUPE_EXAMPLES_TROUPE_IGNORED_SIGNAL_H_
