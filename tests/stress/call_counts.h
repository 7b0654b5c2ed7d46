// Counts what the event loop of a stream asks of the kernel: a program that
// links this has its epoll_wait, epoll_ctl, recv, send and the like here, and
// syscall(2) itself.
//
//   const CallCounts before = CountedCallsHere();
//   ...
//   EXPECT_EQ(CountedCallsHere() - before, ...);
//
// Those of the calling thread.
#ifndef TROUPE_TESTS_STRESS_CALL_COUNTS_H_
#define TROUPE_TESTS_STRESS_CALL_COUNTS_H_

#include <cstdint>
#include <ostream>

namespace troupe {

struct CallCounts {
  int64_t waits = 0;      // epoll_wait that returned
  int64_t changes = 0;    // epoll_ctl
  int64_t transfers = 0;  // recv, recvmsg, send, sendmsg, by whatever name

  friend CallCounts operator-(const CallCounts& a, const CallCounts& b) {
    return {a.waits - b.waits, a.changes - b.changes,
            a.transfers - b.transfers};
  }
  friend bool operator==(const CallCounts&, const CallCounts&) = default;
  friend std::ostream& operator<<(std::ostream& out, const CallCounts& c) {
    return out << c.waits << " epoll_wait, " << c.changes << " epoll_ctl, "
               << c.transfers << " transfers";
  }
};

CallCounts CountedCallsHere();

}  // namespace troupe

#endif  // TROUPE_TESTS_STRESS_CALL_COUNTS_H_
