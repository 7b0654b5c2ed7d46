// The I/O actor: the message side of an IoHost. It owns the selector's watches
// and timers for everyone who is not on its thread, and is told by CAF when an
// observer dies: that observer's watches end and their descriptors are closed.
#ifndef TROUPE_IO_IO_ACTOR_H_
#define TROUPE_IO_IO_ACTOR_H_

#include "io/io_host.h"
#include "io/io_messages.h"

namespace troupe {

// Spawns the I/O actor of `host`; hidden.
IoActor SpawnIoActor(IoHost& host);

}  // namespace troupe

#endif  // TROUPE_IO_IO_ACTOR_H_
