// Keeps 0, 1 and 2 for what they mean. A program started with one of them
// closed (`troupe run ls <&-`) would otherwise get its own descriptors under
// that number, and hand them to its children.
#ifndef TROUPE_EXAMPLES_TROUPE_STANDARD_NUMBERS_H_
#define TROUPE_EXAMPLES_TROUPE_STANDARD_NUMBERS_H_

#include "absl/status/status.h"

namespace troupe {

// For the beginning of main. A number that is closed is taken by a descriptor
// of /dev/null, open for the wrong direction: to read from 0 and to write to 1
// fails with EBADF as before, here and in children that inherit it. What goes
// to 2 is lost as before, without an error.
absl::Status TakeClosedStandardNumbers();

}  // namespace troupe

#endif  // TROUPE_EXAMPLES_TROUPE_STANDARD_NUMBERS_H_
