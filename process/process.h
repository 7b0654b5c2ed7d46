// A command that runs, as an object to ask: what asyncio's Process is (rows H1
// to H22), over the Subprocess it has.
//
//   Process sort = SpawnProcess(services);
//   self->request(sort, caf::infinite,
//                 LaunchProcess{.command = command, .owner = self->address()})
//       .then([](const ProcessStarted&) {}, [](const caf::error& why) {});
//   self->request(sort, caf::infinite, Communicate{Bytes("b\na\n")})
//       .then([](Communicated& all) {});            // stdout, stderr, exit
//
// or line by line:
//
//   self->send(sort, Write{Bytes("b\na\n"), {}});
//   self->send(sort, CloseStdin{});
//   self->request(sort, caf::infinite,
//                 ReadFrom{ProcessStream::kStdout, ReadLine{}})
//       .then([](Frame& line) {});
//
// or all in one, and nothing is left behind it:
//
//   self->request(SpawnProcess(services), caf::infinite, RunProcess{launch})
//       .then([](Communicated& all) {});
//
// Any number may wait and read; reads of a stream are answered in the order
// they came. Requests may be sent behind LaunchProcess without waiting for its
// answer.
//
// To wait for the exit is not to wait for the end of the output: a grandchild
// can hold that (rows A1, V5). WaitForExit is the one, WaitForDrained both,
// with a grace. A child that writes more than the window and a pipe hold, and
// whom nobody reads, does not exit (H2): OutputOptions::unread says what
// becomes of output that nobody asks for (A2).
//
// Who gives up takes nothing along. A Communicate or a read ends with its own
// timeout, or when who asked ends; what it had is there for the next one, and
// the process runs on. A timeout of CAF's, of request(), is not known here:
// what is answered then is gone.
//
// Who kills when (V25): the owner's end stops the process by its plan, and so
// do the two timeouts of LaunchProcess and the end of this actor; CloseProcess
// kills it. Each at any point, also while it is being made (V11). Dropping the
// last handle does nothing: an owner that is named, not a destructor, ends a
// process (H22). Everybody who waits is answered in each case.
//
// Every chunk goes to the observers, too, each with a copy of its credit: so
// the slowest of them bounds the stream, and one that dies is just dropped.
#ifndef TROUPE_PROCESS_PROCESS_H_
#define TROUPE_PROCESS_PROCESS_H_

#include "process/process_actor_messages.h"
#include "process/subprocess.h"

namespace troupe {

// Resident on `services.host`; hidden.
Process SpawnProcess(const ProcessServices& services);

}  // namespace troupe

#endif  // TROUPE_PROCESS_PROCESS_H_
