// The whole protocol of an event loop, for those who are not on its thread.
//
//   CallSoon      anyone -> loop   run a callback in the next iteration
//   CallLater     anyone -> loop   run one after a delay, or again and again
//   SendLater     anyone -> loop   the same with a message to any actor, also
//                                  one on another machine
//   CancelCall    anyone -> loop   answered by whether that kept it from
//                                  happening (again)
//   AddReader     anyone -> loop   FdReady to an actor when a descriptor is
//                                  readable; answered by WatchStarted
//   AddWriter     anyone -> loop   the same for writable
//   ArmWatch      observer -> loop one more FdReady, please
//   RemoveReader, RemoveWriter     anyone -> loop, answered by whether there
//                                  was one
//   StopLoop      anyone -> loop   RunForever returns after this iteration
//   GetLoopMetrics anyone -> loop  answered by LoopMetrics
//
// The loop answers while it runs. Whoever starts a call names it with a TimerId
// of its own, to cancel it; 0 for none. The messages carry functions and
// handles of this process and do not leave it.
#ifndef TROUPE_ACTORS_LOOP_MESSAGES_H_
#define TROUPE_ACTORS_LOOP_MESSAGES_H_

#include <functional>

#include "absl/time/time.h"
#include "actors/loop_metrics.h"
#include "caf/actor_control_block.hpp"
#include "caf/allowed_unsafe_message_type.hpp"
#include "caf/message.hpp"
#include "caf/replies_to.hpp"
#include "caf/typed_actor.hpp"
#include "io/io_messages.h"
#include "io/timer_id.h"

namespace troupe {

struct CallSoon {
  std::function<void()> callback;
};
struct CallLater {
  absl::Duration delay;
  std::function<void()> callback;
  TimerId timer = {};
  absl::Duration period = absl::ZeroDuration();  // above zero: repeats
};
struct SendLater {
  absl::Duration delay;
  caf::strong_actor_ptr to;
  caf::message message;
  TimerId timer = {};
  absl::Duration period = absl::ZeroDuration();
};
struct CancelCall {
  TimerId timer;
};
struct CallCancelled {
  bool was_waiting = false;
};

// The descriptor stays the asker's and is watched until RemoveReader, until the
// observer ends, until somebody else is put in its place (which it is not
// told), or until the loop is closed (WatchEnded).
struct AddReader {
  int fd = -1;
  FdObserver observer;
};
struct AddWriter {
  int fd = -1;
  FdObserver observer;
};
struct ArmWatch {
  WatchId watch;
  Side side = Side::kRead;
};
struct RemoveReader {
  int fd = -1;
};
struct RemoveWriter {
  int fd = -1;
};
struct Removed {
  bool was_there = false;
};

struct StopLoop {};
struct GetLoopMetrics {};

using LoopActor = caf::typed_actor<
    caf::reacts_to<CallSoon>, caf::reacts_to<CallLater>,
    caf::reacts_to<SendLater>, caf::replies_to<CancelCall>::with<CallCancelled>,
    caf::replies_to<AddReader>::with<WatchStarted>,
    caf::replies_to<AddWriter>::with<WatchStarted>, caf::reacts_to<ArmWatch>,
    caf::replies_to<RemoveReader>::with<Removed>,
    caf::replies_to<RemoveWriter>::with<Removed>, caf::reacts_to<StopLoop>,
    caf::replies_to<GetLoopMetrics>::with<LoopMetrics>>;

}  // namespace troupe

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::CallSoon)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::CallLater)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::SendLater)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::CancelCall)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::CallCancelled)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::AddReader)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::AddWriter)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::ArmWatch)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::RemoveReader)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::RemoveWriter)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::Removed)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::StopLoop)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::GetLoopMetrics)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::LoopMetrics)

#endif  // TROUPE_ACTORS_LOOP_MESSAGES_H_
