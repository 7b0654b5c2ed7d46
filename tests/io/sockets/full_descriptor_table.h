// While it lives, this process gets no new descriptor: EMFILE.
//
//   {
//     FullDescriptorTable table;
//     refused = AcceptConnection(listener).status();
//   }  // the limit is what it was
//
// Look at what came of it afterwards: the sanitizers need descriptors, too.
#ifndef TROUPE_TESTS_IO_SOCKETS_FULL_DESCRIPTOR_TABLE_H_
#define TROUPE_TESTS_IO_SOCKETS_FULL_DESCRIPTOR_TABLE_H_

#include <fcntl.h>
#include <sys/resource.h>

#include <vector>

#include "gtest/gtest.h"
#include "io/owned_fd.h"

namespace troupe {

class FullDescriptorTable {
 public:
  // With room for `room` more.
  explicit FullDescriptorTable(int room = 0) {
    EXPECT_EQ(getrlimit(RLIMIT_NOFILE, &before_), 0);
    // The lowest that are free; all others below the last are in use.
    std::vector<OwnedFd> next;
    for (int i = 0; i <= room; ++i) {
      next.emplace_back(open("/dev/null", O_RDONLY | O_CLOEXEC));
    }
    rlimit full = before_;
    full.rlim_cur = next.back().get();
    EXPECT_EQ(setrlimit(RLIMIT_NOFILE, &full), 0);
  }
  ~FullDescriptorTable() { EXPECT_EQ(setrlimit(RLIMIT_NOFILE, &before_), 0); }
  FullDescriptorTable(const FullDescriptorTable&) = delete;
  FullDescriptorTable& operator=(const FullDescriptorTable&) = delete;

 private:
  rlimit before_;
};

}  // namespace troupe

#endif  // TROUPE_TESTS_IO_SOCKETS_FULL_DESCRIPTOR_TABLE_H_
