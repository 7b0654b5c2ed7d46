// An observer that is an actor: readiness of a watch becomes FdReady, its end
// WatchEnded.
#ifndef TROUPE_IO_ACTOR_SINK_H_
#define TROUPE_IO_ACTOR_SINK_H_

#include <memory>

#include "io/host.h"
#include "io/io_messages.h"
#include "io/watch_table.h"

namespace troupe {

// For watches of `host`. It keeps the observer alive as long as the watch
// lasts: without that an actor without handles would be gone before its first
// event. Null for an empty handle.
std::unique_ptr<ReadinessSink> MakeActorSink(const FdObserver& observer,
                                             Host& host);

}  // namespace troupe

#endif  // TROUPE_IO_ACTOR_SINK_H_
