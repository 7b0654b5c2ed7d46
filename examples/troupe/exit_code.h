// The exit codes that shells give to what could not be started.
#ifndef TROUPE_EXAMPLES_TROUPE_EXIT_CODE_H_
#define TROUPE_EXAMPLES_TROUPE_EXIT_CODE_H_

#include "absl/status/status.h"
#include "io/os_error.h"

namespace troupe {

inline constexpr int kUsageCode = 2;
inline constexpr int kOutputLostCode = 1;
inline constexpr int kTimedOutCode = 124;  // as timeout(1)

// 127 when there is no such program, 126 when it cannot be executed.
int SpawnFailureCode(const absl::Status& why);

}  // namespace troupe

#endif  // TROUPE_EXAMPLES_TROUPE_EXIT_CODE_H_
