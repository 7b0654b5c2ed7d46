// The operations of the scenario language on Troupe, a function for each of its
// parts. scenario.py says what they do.
#ifndef TROUPE_TESTS_ORACLE_OPERATIONS_H_
#define TROUPE_TESTS_ORACLE_OPERATIONS_H_

#include <sys/types.h>

#include "tests/oracle/stage.h"

namespace troupe {

// Callbacks, timers, handles.
void AddCallbackOperations(Stage::Operations& operations);
// Running, stopping, closing; requests.
void AddRunningOperations(Stage::Operations& operations);
// Exceptions and their handlers; debug mode.
void AddExceptionOperations(Stage::Operations& operations);
void AddDescriptorOperations(Stage::Operations& operations);
void AddSignalOperations(Stage::Operations& operations);
// Child processes and what watches them; the parts are in children.h.
void AddChildOperations(Stage::Operations& operations);
// Operations that do others: once, repeatedly, elsewhere.
void AddPrefixOperations(Stage::Operations& operations);

// Returns when the main thread of a process sleeps.
void WaitForSleep(pid_t process);

}  // namespace troupe

#endif  // TROUPE_TESTS_ORACLE_OPERATIONS_H_
