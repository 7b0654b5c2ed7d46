// Whether a descriptor may be used by a loop, which must not block.
#ifndef TROUPE_ACTORS_NON_BLOCKING_H_
#define TROUPE_ACTORS_NON_BLOCKING_H_

#include "absl/status/status.h"

namespace troupe {

// kInvalidArgument `the socket must be non-blocking` (FD12, here always);
// EBADF.
absl::Status CheckNonBlocking(int fd);

}  // namespace troupe

#endif  // TROUPE_ACTORS_NON_BLOCKING_H_
