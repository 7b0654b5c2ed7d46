// Signals by way of the relay, to actors: `troupe-actor` has them next to it on
// the I/O thread, `troupe-worker` on CAF's workers.
#ifndef TROUPE_TESTS_BENCHMARKS_TROUPE_RELAYED_SIGNALS_H_
#define TROUPE_TESTS_BENCHMARKS_TROUPE_RELAYED_SIGNALS_H_

#include <functional>
#include <memory>
#include <semaphore>
#include <vector>

#include "actors/config.h"
#include "actors/system.h"
#include "caf/actor_system.hpp"
#include "signals/signal_messages.h"

namespace troupe {

class RelayedSignals {
 public:
  using Callback = std::function<void()>;

  ~RelayedSignals();

  void Run() { stopped_.acquire(); }
  void Stop() { stopped_.release(); }

 protected:
  RelayedSignals();

  IoHost& host() { return system_->io().host(); }
  void Subscribe(int number, const SignalObserver& observer);

  Config config_;
  caf::actor_system actors_{config_};

 private:
  std::unique_ptr<System> system_;
  std::vector<SignalObserver> observers_;
  std::binary_semaphore stopped_{0};
};

class SignalsToResidents : public RelayedSignals {
 public:
  void OnSignal(int number, Callback callback);
};

class SignalsToWorkers : public RelayedSignals {
 public:
  void OnSignal(int number, Callback callback);
};

}  // namespace troupe

#endif  // TROUPE_TESTS_BENCHMARKS_TROUPE_RELAYED_SIGNALS_H_
