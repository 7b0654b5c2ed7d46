// Counts what is allocated, by whatever library: this target defines malloc.
// Not under a sanitizer, which has a malloc of its own; the count is 0 there.
#ifndef TROUPE_TESTS_BENCHMARKS_ALLOCATIONS_H_
#define TROUPE_TESTS_BENCHMARKS_ALLOCATIONS_H_

#include <cstdint>

namespace troupe {

// Calls of malloc by all threads since the program began.
int64_t Allocations();
// By the calling thread.
int64_t AllocationsHere();

}  // namespace troupe

#endif  // TROUPE_TESTS_BENCHMARKS_ALLOCATIONS_H_
