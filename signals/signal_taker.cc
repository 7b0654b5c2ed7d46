#include "signals/signal_taker.h"

#include <unistd.h>

#include "io/os_error.h"

namespace troupe {

SignalTaker::SignalTaker(const sigset_t& mask) : mask_(mask) {
  sem_init(&stop_, /*pshared=*/0, 0);
}

absl::StatusOr<std::unique_ptr<SignalTaker>> SignalTaker::Start(
    const sigset_t& mask) {
  std::unique_ptr<SignalTaker> taker(new SignalTaker(mask));
  const int error =
      pthread_create(&taker->thread_, nullptr, &SignalTaker::Run, taker.get());
  if (error != 0) return OsError(error, "pthread_create", "troupe.signals");
  taker->pid_ = getpid();
  return taker;
}

SignalTaker::~SignalTaker() {
  if (pid_ != getpid()) return;
  sem_post(&stop_);
  pthread_join(thread_, nullptr);
  sem_destroy(&stop_);
}

void* SignalTaker::Run(void* argument) {
  SignalTaker* taker = static_cast<SignalTaker*>(argument);
  pthread_setname_np(pthread_self(), "troupe.signals");
  pthread_sigmask(SIG_SETMASK, &taker->mask_, nullptr);
  while (sem_wait(&taker->stop_) != 0) {  // EINTR: a handler without SA_RESTART
  }
  return nullptr;
}

}  // namespace troupe
