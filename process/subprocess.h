// A running child process, seen from its owner.
//
//   Subprocess sort = SpawnSubprocess(services);
//   StartProcess start{command, observer};
//   self->request(sort, caf::infinite, start).then(
//       [](ProcessStarted started) {}, [](caf::error& why) {});
//   self->send(sort, Write{Bytes("b\na\n"), {}});      // queued until it runs
//   self->send(sort, CloseStdin{});
//
// The observer is told ProcessStarted first; then what the child writes, the
// end of each of its streams, and its exit, each in its own message; and
// ProcessEnded last, when the child has exited and every stream is closed. A
// grandchild that holds a pipe delays the last, never the exit (row P16).
//
// StopProcess walks a plan: a signal, a wait, the next signal, each followed by
// SIGCONT. A child with a group of its own is stopped with its group, also
// after it has itself ended, until the group is empty or the plan is over: only
// then is the child reaped, because its pid pins the group's number. A child
// that shares our group is stopped alone.
//
// The process ends with its owner: when the observer dies it is stopped by
// plan, when this actor is killed the child is killed. Dropping the last handle
// does neither. The actor stays for questions as long as somebody has a handle.
// DetachProcess lets the child outlive all of them, and the program.
//
// A start that fails leaves nothing behind and tells the observer nothing; the
// error has step, path and errno.
#ifndef TROUPE_PROCESS_SUBPROCESS_H_
#define TROUPE_PROCESS_SUBPROCESS_H_

#include "io/io_host.h"
#include "io/io_messages.h"
#include "process/process_messages.h"

namespace troupe {

// What a subprocess works with. `host` is that of `io` and of `watcher`.
struct ProcessServices {
  IoHost* host = nullptr;
  IoActor io;
  Spawner spawner;
  ChildWatcher watcher;
  ProcReader proc_reader;
};

// Resident on `services.host`; hidden.
Subprocess SpawnSubprocess(const ProcessServices& services);

}  // namespace troupe

#endif  // TROUPE_PROCESS_SUBPROCESS_H_
