#include "io/heap_room.h"

#include <cstdint>
#include <cstdio>
#include <fstream>
#include <memory>
#include <string>
#include <thread>

#include "gtest/gtest.h"
#include "tests/support/sanitized.h"

namespace troupe {
namespace {

// Of /proc/self/smaps: the mapping that `address` lies in.
struct Mapping {
  bool writable = false;
  uintptr_t bytes_behind = 0;  // from `address` to its end
  size_t resident_kib = 0;
};

Mapping MappingOf(const void* address) {
  const auto sought = reinterpret_cast<uintptr_t>(address);
  std::ifstream smaps("/proc/self/smaps");
  Mapping found;
  bool inside = false;
  for (std::string line; std::getline(smaps, line);) {
    uintptr_t begin = 0, end = 0;
    char access[5] = "";
    if (sscanf(line.c_str(), "%lx-%lx %4s", &begin, &end, access) == 3) {
      inside = begin <= sought && sought < end;
      if (inside) found = {access[1] == 'w', end - sought, 0};
    } else if (inside) {
      sscanf(line.c_str(), "Rss: %zu", &found.resident_kib);
    }
  }
  return found;
}

TEST(HeapRoomTest, IsWritableAndNoMemoryYet) {
  if (kSanitized) GTEST_SKIP() << "its malloc is another";
  Mapping before, after;
  std::thread([&] {
    auto block = std::make_unique<char[]>(100);
    before = MappingOf(block.get());
    MakeHeapRoom();
    after = MappingOf(block.get());
  }).join();
  EXPECT_LE(before.bytes_behind, kHeapRoom / 10);  // what there is to mend
  EXPECT_TRUE(after.writable);
  EXPECT_GE(after.bytes_behind, kHeapRoom * 9 / 10);
  EXPECT_LE(after.resident_kib, 512u);
}

}  // namespace
}  // namespace troupe
