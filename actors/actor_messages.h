// The whole protocol of actors, so far the supervisor's. A member is one
// process of a supervised group, named by its index; it may run many times.
//
//   StopMembers      anyone -> supervisor    stop all by their plans, then end
//   KillMembers      anyone -> supervisor    the same with SIGKILL at once
//   RestartMembers   anyone -> supervisor    stop each and start it again
//   MemberStarted    supervisor -> observer  a run has begun
//   MemberNotStarted supervisor -> observer  a run could not begin
//   MemberOutput     supervisor -> observer  in order within one run; the
//                                            Credit bounds what is in flight
//   MemberExited     supervisor -> observer  once for each run that started
//   MemberDrained    supervisor -> observer  no more output of this run
//   MemberRestarting supervisor -> observer  it will run again after `delay`
//   MembersStopping  supervisor -> observer  all will be stopped, and why
//   MembersEnded     supervisor -> observer  last: nothing runs, all is drained
#ifndef TROUPE_ACTORS_ACTOR_MESSAGES_H_
#define TROUPE_ACTORS_ACTOR_MESSAGES_H_

#include <sys/types.h>

#include <cstddef>
#include <optional>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "caf/allowed_unsafe_message_type.hpp"
#include "caf/replies_to.hpp"
#include "caf/typed_actor.hpp"
#include "io/bytes.h"
#include "io/credit.h"
#include "process/exit_report.h"

namespace troupe {

struct StopMembers {};
struct KillMembers {};
struct RestartMembers {};
using Supervisor =
    caf::typed_actor<caf::reacts_to<StopMembers>, caf::reacts_to<KillMembers>,
                     caf::reacts_to<RestartMembers>>;

struct MemberStarted {
  size_t member = 0;
  pid_t pid = -1;
  int restart = 0;  // 0: the first run
};
struct MemberNotStarted {
  size_t member = 0;
  absl::Status why;
};
struct MemberOutput {
  size_t member = 0;
  Bytes bytes;
  Credit credit;
};
struct MemberExited {
  size_t member = 0;
  ExitReport report;
  absl::Duration ran;
  bool asked = false;  // we were stopping it
};
struct MemberDrained {
  size_t member = 0;
};
struct MemberRestarting {
  size_t member = 0;
  int restart = 0;  // of the run to come
  absl::Duration delay;
};
struct MembersStopping {
  std::optional<size_t> because;  // this member ended; nothing: we were asked
  size_t running = 0;
};
struct MembersEnded {};
using SupervisorObserver = caf::typed_actor<
    caf::reacts_to<MemberStarted>, caf::reacts_to<MemberNotStarted>,
    caf::reacts_to<MemberOutput>, caf::reacts_to<MemberExited>,
    caf::reacts_to<MemberDrained>, caf::reacts_to<MemberRestarting>,
    caf::reacts_to<MembersStopping>, caf::reacts_to<MembersEnded>>;

}  // namespace troupe

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::StopMembers)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::KillMembers)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::RestartMembers)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::MemberStarted)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::MemberNotStarted)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::MemberOutput)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::MemberExited)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::MemberDrained)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::MemberRestarting)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::MembersStopping)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::MembersEnded)

#endif  // TROUPE_ACTORS_ACTOR_MESSAGES_H_
