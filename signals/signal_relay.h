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
// (SignalDelivery::count), real-time signals are one message each; in the order
// of sending for programs that call BlockSignals() first.
//
// A subscription is a lease: it ends with UnsubscribeFromSignal or with its
// observer, and with the last one the disposition from before comes back, also
// "ignored". Subscribing twice is subscribing once. A subscriber hears of what
// arrives between its Subscribed and its Unsubscribed: nothing of before, and
// afterwards only what is in its mailbox already (row S15).
//
// A subscription with a tap (signal_buffer.h) is for whoever has a descriptor
// to watch and is in a hurry: the signal handler writes into the tap itself,
// and the relay is not woken. What came before the lease ended stays in it. If
// an observer subscribes again, the tap of its last request counts.
//
// A handler that somebody else installed meanwhile is left alone, and somebody
// is told: whoever's request ended the last lease, else the owner, else a line
// on stderr.
//
// Errors of SubscribeToSignal:
//   kInvalidArgument      `invalid signal number 0` (S4); no observer, or one
//                         in another program
//   kFailedPrecondition   `sig 9 cannot be caught` (S5); `Event loop is closed`
//                         after CloseSignalRelay (S7)
#ifndef TROUPE_SIGNALS_SIGNAL_RELAY_H_
#define TROUPE_SIGNALS_SIGNAL_RELAY_H_

#include "absl/status/statusor.h"
#include "io/io_host.h"
#include "io/io_messages.h"
#include "signals/signal_messages.h"

namespace troupe {

// Resident on `host`, of the kind kEpoll, whose I/O actor `io` is; hidden. It
// lives until it is closed and its last handle is gone, or until it is ended,
// which closes it.
//
// One per process, because the kernel has one table of dispositions:
// FAILED_PRECONDITION until another one is closed or has ended.
absl::StatusOr<SignalRelay> SpawnSignalRelay(IoHost& host, const IoActor& io,
                                             SignalRelayOwner owner = {});

}  // namespace troupe

#endif  // TROUPE_SIGNALS_SIGNAL_RELAY_H_
