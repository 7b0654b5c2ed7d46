// The soft limit on open descriptors, raised for us and not for our children.
//
//   RaiseDescriptorLimit();          // once, early in the program
//   OriginalDescriptorLimit();       // 1024: what Spawn gives to children
//
// Many children with two pipes and a pidfd each pass the usual 1,024 quickly,
// while a program that uses select(2) breaks on numbers above it; so the raise
// is ours alone. The limit belongs to the whole process, hence the plain
// functions. Safe from any thread.
#ifndef TROUPE_PROCESS_DESCRIPTOR_LIMIT_H_
#define TROUPE_PROCESS_DESCRIPTOR_LIMIT_H_

#include <sys/resource.h>

#include <optional>

#include "absl/status/status.h"

namespace troupe {

// Sets the soft limit to the hard one and remembers what it was the first time.
// Calling it again is harmless.
absl::Status RaiseDescriptorLimit();

// The soft limit before the first raise; nothing if there was none.
std::optional<rlim_t> OriginalDescriptorLimit();

// Puts the original soft limit back and forgets it, for tests and for programs
// that end their actor system and go on.
absl::Status RestoreDescriptorLimit();

}  // namespace troupe

#endif  // TROUPE_PROCESS_DESCRIPTOR_LIMIT_H_
