// `troupe up`: runs the processes of a Procfile as one group and prints what
// they write.
#ifndef TROUPE_EXAMPLES_TROUPE_UP_H_
#define TROUPE_EXAMPLES_TROUPE_UP_H_

#include "examples/troupe/options.h"

namespace troupe {

// The exit code: that of the first process that failed by itself, 0 if none did
// or the user stopped the group; 2, with a line on stderr, if it could not
// begin.
int Up(const UpOptions& options);

}  // namespace troupe

#endif  // TROUPE_EXAMPLES_TROUPE_UP_H_
