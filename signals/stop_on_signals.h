// The policy of most programs: the first Ctrl-C asks, the second forces, and a
// deadline bounds what was asked for (V59, A18).
//
//   SpawnStopOnSignals(io.host(), io.actor(), relay, {}, self);
//   ... [](const StopOnSignalsReady& ready) { start, if ready.status.ok() }
//   ... [](const StopRequested& stop) { begin to end; stop.signal.name }
//   ... [](const StopForced&) { end now }
//
// After StopForced it has dropped its leases, so that the next signal does what
// it did before Troupe: a third Ctrl-C ends a program that hangs. It ends then,
// with its observer, or when it is told to.
#ifndef TROUPE_SIGNALS_STOP_ON_SIGNALS_H_
#define TROUPE_SIGNALS_STOP_ON_SIGNALS_H_

#include <signal.h>

#include <vector>

#include "absl/time/time.h"
#include "caf/actor.hpp"
#include "io/io_host.h"
#include "io/io_messages.h"
#include "signals/signal_messages.h"

namespace troupe {

struct StopOnSignalsOptions {
  std::vector<int> signals = {SIGINT, SIGTERM};
  // What comes sooner after the first is no second signal: timeout(1) and other
  // wrappers that get the terminal's Ctrl-C pass theirs on, too.
  absl::Duration one_press = absl::Milliseconds(100);
  // From StopRequested on; twice what the default StopPlan takes to come to
  // SIGKILL. absl::InfiniteDuration(): only a second signal forces.
  absl::Duration deadline = absl::Seconds(10);
};

// Resident on `host`, whose I/O actor `io` is; hidden. It needs no handle to
// live: the one returned is to end it with caf::anon_send_exit.
caf::actor SpawnStopOnSignals(IoHost& host, const IoActor& io,
                              const SignalRelay& relay,
                              StopOnSignalsOptions options,
                              StopObserver observer);

}  // namespace troupe

#endif  // TROUPE_SIGNALS_STOP_ON_SIGNALS_H_
