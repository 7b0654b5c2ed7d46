// For programs that want their signals in order: all threads block them, and
// one takes them.
//
//   int main() {
//     absl::Status blocked = troupe::BlockSignals();  // the first thing
//     troupe::Config config;
//     caf::actor_system actors(config);
//
// A signal pipe (and so the relay) that is made afterwards starts one thread,
// the taker, with the mask the program had before. Signals of one number then
// arrive in the order in which they were sent; of several numbers that wait
// together the kernel hands out the lowest first (signal(7)). What nobody
// caught happens on the taker and does what it always did.
//
// Not blocked, and so not in order: what BlockAllSignals (io/thread_mask.h)
// leaves, the faults and SIGTTIN, SIGTTOU. A thread that unblocks a signal
// itself takes it as without BlockSignals. A signal to one thread
// (pthread_kill, raise) waits until that thread unblocks it: send with kill().
// While there is no pipe, all wait.
//
// A forked child has no taker: it inherits the blocked signals, as a program
// that it executes does, until it unblocks them or makes a pipe of its own.
// Children that Troupe spawns start with nothing blocked.
#ifndef TROUPE_SIGNALS_BLOCK_SIGNALS_H_
#define TROUPE_SIGNALS_BLOCK_SIGNALS_H_

#include <signal.h>

#include <optional>

#include "absl/status/status.h"

namespace troupe {

// In the calling thread and those that it starts, for good. Again is no error.
// kFailedPrecondition, and nothing changed, when there are other threads, which
// would go on taking signals.
absl::Status BlockSignals();

// The calling thread's mask before BlockSignals(); nothing without it.
std::optional<sigset_t> MaskBeforeBlockSignals();

}  // namespace troupe

#endif  // TROUPE_SIGNALS_BLOCK_SIGNALS_H_
