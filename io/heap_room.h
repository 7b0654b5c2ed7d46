// Room for what a thread is going to allocate.
//
// The heap that glibc gives a thread other than the first becomes writable a
// page at a time, with an mprotect each: half of what a burst of allocations
// costs. What was writable once stays so when it is free again, and is no
// memory before it is used.
#ifndef TROUPE_IO_HEAP_ROOM_H_
#define TROUPE_IO_HEAP_ROOM_H_

#include <cstddef>

namespace troupe {

// A thousand subprocesses or transports.
inline constexpr size_t kHeapRoom = 4 << 20;

// For the calling thread, before it allocates.
void MakeHeapRoom(size_t bytes = kHeapRoom);

}  // namespace troupe

#endif  // TROUPE_IO_HEAP_ROOM_H_
