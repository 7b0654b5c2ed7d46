// The one thread that takes the process's signals in a program that blocks
// them everywhere else.
//
//   auto taker = SignalTaker::Start(*MaskBeforeBlockSignals());
//
// It sleeps with the given mask. A signal that is caught runs its handler here,
// one at a time, because the handler blocks all others while it runs: so the
// handlers run in the order in which the kernel hands out. A signal that is not
// caught does here what it does to any program, with no bookkeeping of which is
// which. signalfd and sigwaitinfo were refused for that: both need the caught
// signals blocked and the others not, and so a change of this thread's mask for
// each Catch and Release.
//
// The destructor joins the thread; in a forked child, which has none, it does
// nothing.
#ifndef TROUPE_SIGNALS_SIGNAL_TAKER_H_
#define TROUPE_SIGNALS_SIGNAL_TAKER_H_

#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <sys/types.h>

#include <memory>

#include "absl/status/statusor.h"

namespace troupe {

class SignalTaker {
 public:
  static absl::StatusOr<std::unique_ptr<SignalTaker>> Start(
      const sigset_t& mask);
  SignalTaker(const SignalTaker&) = delete;
  SignalTaker& operator=(const SignalTaker&) = delete;
  ~SignalTaker();

 private:
  explicit SignalTaker(const sigset_t& mask);
  static void* Run(void* taker);

  const sigset_t mask_;
  sem_t stop_;
  pid_t pid_ = 0;  // whose thread it is
  pthread_t thread_;
};

}  // namespace troupe

#endif  // TROUPE_SIGNALS_SIGNAL_TAKER_H_
