// The signal relay: signals of the process as messages to any number of
// subscribers.
//
//   auto relay = SpawnSignalRelay(io.host(), io.actor());
//   self->request(*relay, caf::infinite, SubscribeToSignal{SIGTERM, self});
//   ... [](const SignalReceived& got) { got.name, got.delivery.pid ... }
//
// Any catchable signal, from any thread. Nothing is lost but what the kernel
// merges while a standard signal is pending; when subscribers fall behind,
// deliveries of one standard signal are merged and counted
// (SignalDelivery::count), real-time signals are one message each.
//
// A subscription is a lease: it ends with UnsubscribeFromSignal or with its
// observer, and with the last one the disposition from before comes back, also
// "ignored". A handler that somebody else installed meanwhile is left alone.
// Subscribing twice is subscribing once.
//
// One per process, because the kernel has one table of dispositions: a second
// is refused. Errors of SubscribeToSignal: `invalid signal number 0`,
// `sig 9 cannot be caught` (rows S4, S5).
#ifndef TROUPE_SIGNALS_SIGNAL_RELAY_H_
#define TROUPE_SIGNALS_SIGNAL_RELAY_H_

#include "absl/status/statusor.h"
#include "io/io_host.h"
#include "io/io_messages.h"
#include "signals/signal_messages.h"

namespace troupe {

// Resident on `host`, whose I/O actor `io` is; hidden. When it ends, all
// dispositions are restored. FAILED_PRECONDITION while another one lives.
absl::StatusOr<SignalRelay> SpawnSignalRelay(IoHost& host, const IoActor& io);

}  // namespace troupe

#endif  // TROUPE_SIGNALS_SIGNAL_RELAY_H_
