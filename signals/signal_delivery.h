// What one or more runs of a signal handler left behind.
//
// `code`, `pid`, `uid` and `value` are siginfo_t's and mean what sigaction(2)
// says for the code: for SI_QUEUE the value that was sent, for a SIGCHLD the
// exit status in value.sival_int.
#ifndef TROUPE_SIGNALS_SIGNAL_DELIVERY_H_
#define TROUPE_SIGNALS_SIGNAL_DELIVERY_H_

#include <signal.h>
#include <sys/types.h>

#include <cstdint>

namespace troupe {

struct SignalDelivery {
  int number = 0;
  int code = 0;
  pid_t pid = 0;
  uid_t uid = 0;
  sigval value{};
  // How many runs this stands for. More than 1 only for a standard signal whose
  // owner fell behind; the other fields are then the first run's.
  std::uint64_t count = 1;
};

}  // namespace troupe

#endif  // TROUPE_SIGNALS_SIGNAL_DELIVERY_H_
