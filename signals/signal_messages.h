// The whole protocol of signals.
//
//   SubscribeToSignal      anyone -> relay     from now on, one SignalReceived
//                                              for each delivery, or the
//                                              delivery in its tap; a lease
//                                              that ends with its observer
//   UnsubscribeFromSignal  anyone -> relay     ends it; answered by whether
//                                              there was one, and whether the
//                                              last one's end restored what was
//                                              there before
//   CloseSignalRelay       anyone -> relay     ends all leases, for good
//   SignalReceived         relay -> observer   in order of arrival
//   HandlerKept            relay -> owner      a lease ended that nobody asked
//                                              to end, and somebody else's
//                                              handler was found and left
//
// Stop on signals (stop_on_signals.h)
//   StopOnSignalsReady     policy -> observer  first: it listens, or why not
//   StopRequested          policy -> observer  the first signal: please end
//   StopForced             policy -> observer  last: a second one, or the time
//                                              is over
#ifndef TROUPE_SIGNALS_SIGNAL_MESSAGES_H_
#define TROUPE_SIGNALS_SIGNAL_MESSAGES_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "caf/allowed_unsafe_message_type.hpp"
#include "caf/replies_to.hpp"
#include "caf/typed_actor.hpp"
#include "signals/signal_buffer.h"
#include "signals/signal_delivery.h"

namespace troupe {

struct SignalReceived {
  SignalDelivery delivery;
  std::string name;  // "SIGTERM"; short enough to be no allocation
};
using SignalObserver = caf::typed_actor<caf::reacts_to<SignalReceived>>;

struct SubscribeToSignal {
  int number = 0;
  SignalObserver observer;
  // If it is there, deliveries go into it, from the signal handler, and the
  // observer only holds the lease.
  std::shared_ptr<SignalBuffer> tap = nullptr;
};
struct Subscribed {};
struct UnsubscribeFromSignal {
  int number = 0;
  SignalObserver observer;
};
struct Unsubscribed {
  bool was_subscribed = false;
  // FAILED_PRECONDITION if it was the last lease and the handler in place was
  // not ours any more.
  absl::Status restored;
};
struct HandlerKept {
  int number = 0;
  absl::Status why;
};
struct CloseSignalRelay {};
struct SignalRelayClosed {
  std::vector<HandlerKept> kept;
};
using SignalRelayOwner = caf::typed_actor<caf::reacts_to<HandlerKept>>;
using SignalRelay = caf::typed_actor<
    caf::replies_to<SubscribeToSignal>::with<Subscribed>,
    caf::replies_to<UnsubscribeFromSignal>::with<Unsubscribed>,
    caf::replies_to<CloseSignalRelay>::with<SignalRelayClosed>>;

struct StopOnSignalsReady {
  absl::Status status;  // not OK: nothing else will come
};
struct StopRequested {
  SignalReceived signal;
};
enum class StopCause { kSecondSignal, kDeadline };
struct StopForced {
  StopCause why = StopCause::kSecondSignal;
  SignalReceived signal;  // the second; after a deadline, the first
};
using StopObserver =
    caf::typed_actor<caf::reacts_to<StopOnSignalsReady>,
                     caf::reacts_to<StopRequested>, caf::reacts_to<StopForced>>;

}  // namespace troupe

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::SignalReceived)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::SubscribeToSignal)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::Subscribed)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::UnsubscribeFromSignal)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::Unsubscribed)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::HandlerKept)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::CloseSignalRelay)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::SignalRelayClosed)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::StopOnSignalsReady)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::StopRequested)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::StopForced)

#endif  // TROUPE_SIGNALS_SIGNAL_MESSAGES_H_
