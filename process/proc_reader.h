// Reads /proc for subprocesses: who is left in a group, who holds a pipe.
//
// On CAF's workers, because a look at every process takes milliseconds: too
// long for an I/O thread, and the spawner's thread may be held up by an exec
// that hangs. For the time that all workers are busy nobody is told who is left
// in a group, and stop plans that want to know wait.
#ifndef TROUPE_PROCESS_PROC_READER_H_
#define TROUPE_PROCESS_PROC_READER_H_

#include "caf/fwd.hpp"
#include "process/process_messages.h"

namespace troupe {

// Hidden. Ends with its last handle.
ProcReader SpawnProcReader(caf::actor_system& actors);

}  // namespace troupe

#endif  // TROUPE_PROCESS_PROC_READER_H_
