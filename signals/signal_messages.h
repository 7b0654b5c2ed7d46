// The whole protocol of signals.
//
//   SubscribeToSignal      anyone -> relay     from now on, one SignalReceived
//                                              for each delivery; a lease that
//                                              ends with its observer
//   UnsubscribeFromSignal  anyone -> relay     ends it; answered by whether
//                                              there was one
//   SignalReceived         relay -> observer   in order of arrival
#ifndef TROUPE_SIGNALS_SIGNAL_MESSAGES_H_
#define TROUPE_SIGNALS_SIGNAL_MESSAGES_H_

#include <string>

#include "caf/allowed_unsafe_message_type.hpp"
#include "caf/replies_to.hpp"
#include "caf/typed_actor.hpp"
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
};
struct Subscribed {};
struct UnsubscribeFromSignal {
  int number = 0;
  SignalObserver observer;
};
struct Unsubscribed {
  bool was_subscribed = false;
};
using SignalRelay = caf::typed_actor<
    caf::replies_to<SubscribeToSignal>::with<Subscribed>,
    caf::replies_to<UnsubscribeFromSignal>::with<Unsubscribed>>;

}  // namespace troupe

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::SignalReceived)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::SubscribeToSignal)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::Subscribed)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::UnsubscribeFromSignal)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::Unsubscribed)

#endif  // TROUPE_SIGNALS_SIGNAL_MESSAGES_H_
