// `troupe run`: runs one command as if troupe were not there, and ends as it
// ends.
#ifndef TROUPE_EXAMPLES_TROUPE_RUN_H_
#define TROUPE_EXAMPLES_TROUPE_RUN_H_

#include "examples/troupe/options.h"

namespace troupe {

// The command's exit code, 128 plus the signal that killed it, 124 when its
// time was over, 127 or 126 with a line on stderr when it could not be started.
int Run(const RunOptions& options);

}  // namespace troupe

#endif  // TROUPE_EXAMPLES_TROUPE_RUN_H_
