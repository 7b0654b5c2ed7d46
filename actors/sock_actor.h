// Socket operations for actors, on any thread: requests to one small actor on a
// loop (rows FD8 to FD14).
//
//   SockActor socks = SpawnSockActor(loop);
//   self->request(socks, caf::infinite, SockRecv{fd})
//       .then([](const SockReceived& got) { ... },
//             [](const caf::error& why) { ... StatusOf(why) ... });
//
// Order and errors are those of sock_operations.h. A request is always
// answered: with kCancelled if it can no longer happen, when the loop is closed
// for one. A plain message is done, too, and its outcome is dropped.
#ifndef TROUPE_ACTORS_SOCK_ACTOR_H_
#define TROUPE_ACTORS_SOCK_ACTOR_H_

#include "actors/loop.h"
#include "actors/sock_messages.h"

namespace troupe {

// Resident on the loop's thread; hidden. It ends with its last handle, or with
// the loop.
SockActor SpawnSockActor(Loop& loop);

}  // namespace troupe

#endif  // TROUPE_ACTORS_SOCK_ACTOR_H_
