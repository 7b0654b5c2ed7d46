// What this process holds, as the kernel and malloc count it.
#ifndef TROUPE_TESTS_STRESS_PROCESS_MEMORY_H_
#define TROUPE_TESTS_STRESS_PROCESS_MEMORY_H_

#include <malloc.h>
#include <unistd.h>

#include <cstddef>
#include <fstream>

namespace troupe {

// Pages that are in memory, in bytes (proc(5), statm).
inline size_t ResidentBytes() {
  size_t pages = 0;
  std::ifstream("/proc/self/statm") >> pages >> pages;
  return pages * sysconf(_SC_PAGESIZE);
}

// What malloc has given out and not got back, with its headers.
inline size_t AllocatedBytes() {
  const struct mallinfo2 info = mallinfo2();
  return info.uordblks + info.hblkhd;
}

}  // namespace troupe

#endif  // TROUPE_TESTS_STRESS_PROCESS_MEMORY_H_
