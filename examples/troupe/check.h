// `troupe check`: is this Procfile sound, and the `.env` beside it?
#ifndef TROUPE_EXAMPLES_TROUPE_CHECK_H_
#define TROUPE_EXAMPLES_TROUPE_CHECK_H_

#include <ostream>

#include "examples/troupe/options.h"

namespace troupe {

// The exit code. 0: the names of the processes are on `out`. 2: every problem
// is on `err`, a line each, or the one reason why a file cannot be read.
int Check(const CheckOptions& options, std::ostream& out, std::ostream& err);

}  // namespace troupe

#endif  // TROUPE_EXAMPLES_TROUPE_CHECK_H_
