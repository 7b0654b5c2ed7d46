// What the process does on a signal, changed and given back: the one file of
// the library that changes it.
//
//   Status status = InstallHandler(SIGTERM, &OnSignal);
//   ...
//   status = RestoreDisposition(SIGTERM);
//
// The disposition found at the first install is the one that is restored, be
// it a handler, the default or "ignored" (asyncio restores the default, row
// S9). A handler that someone else installed over ours meanwhile is never
// touched (V55, V56): the restore leaves it and says so.
//
// Safe from any thread. The kernel has one table for the whole process, and so
// does this file.
#ifndef TROUPE_SIGNALS_DISPOSITION_H_
#define TROUPE_SIGNALS_DISPOSITION_H_

#include <signal.h>

#include "absl/status/status.h"

namespace troupe {

using SignalHandler = void (*)(int number, siginfo_t* info, void* context);

// kInvalidArgument `invalid signal number 33` unless the number is one of 1 to
// 31 or SIGRTMIN to SIGRTMAX; 32 and 33 are the C library's (S4).
absl::Status CheckSignalNumber(int number);

// Installs with SA_RESTART, SA_SIGINFO, SA_ONSTACK and every signal blocked
// while the handler runs. Again is no error.
//   kInvalidArgument      as above
//   kFailedPrecondition   `sig 9 cannot be caught` (SIGKILL, SIGSTOP; S5)
absl::Status InstallHandler(int number, SignalHandler handler);

//   kInvalidArgument      as above
//   kNotFound             nothing of ours is installed for it
//   kFailedPrecondition   `SIGUSR1: another handler was installed meanwhile; it
//                         stays`
// In every case the number counts as not installed afterwards.
absl::Status RestoreDisposition(int number);
void RestoreAllDispositions();

// For a handler, async-signal-safe: puts the previous disposition back, so that
// the instruction that faulted faults again under it.
void YieldFault(int number);

// For a handler that was entered but is not to act (in a forked child; after
// the restore): the signal happens once more, to this thread, under the
// previous disposition. Nothing happens if it was called by a handler installed
// over ours, which has seen the signal.
void YieldSignal(int number, siginfo_t* info);

}  // namespace troupe

#endif  // TROUPE_SIGNALS_DISPOSITION_H_
