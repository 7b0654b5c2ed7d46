// While it lives, this process gets no new descriptor: EMFILE.
//
//   {
//     FullDescriptorTable table;
//     refused = AcceptConnection(listener).status();
//   }  // the limit is what it was
#ifndef TROUPE_TESTS_IO_SOCKETS_FULL_DESCRIPTOR_TABLE_H_
#define TROUPE_TESTS_IO_SOCKETS_FULL_DESCRIPTOR_TABLE_H_

#include <fcntl.h>
#include <sys/resource.h>

#include "gtest/gtest.h"
#include "io/owned_fd.h"

namespace troupe {

class FullDescriptorTable {
 public:
  // With room for `room` more.
  explicit FullDescriptorTable(int room = 0) {
    EXPECT_EQ(getrlimit(RLIMIT_NOFILE, &before_), 0);
    // The lowest that is free: all below it are in use.
    const OwnedFd next(open("/dev/null", O_RDONLY | O_CLOEXEC));
    rlimit full = before_;
    full.rlim_cur = next.get() + room;
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
