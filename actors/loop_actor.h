// The message side of a Loop: what loop_messages.h says, in terms of the Loop.
#ifndef TROUPE_ACTORS_LOOP_ACTOR_H_
#define TROUPE_ACTORS_LOOP_ACTOR_H_

#include "actors/loop_messages.h"

namespace troupe {

class Loop;

// Resident on the loop's host; hidden. Ends with the host.
LoopActor SpawnLoopActor(Loop& loop);

}  // namespace troupe

#endif  // TROUPE_ACTORS_LOOP_ACTOR_H_
