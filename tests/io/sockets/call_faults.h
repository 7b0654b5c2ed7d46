// Makes one system call of this program fail, the n-th from now on, whichever
// thread makes it.
//
//   CallFault fault(7, CallFault::kNoRoom);
//   ...
//   if (!fault.reached()) ...   // there were fewer
//   fault.call()                // "accept4"
//
// Counted are the calls by which sockets are made, watched and used, as far as
// they can fail so:
//   kNoRoom        for want of descriptors or memory
//   kPeerGone      because the peer is gone, and it is: both ends are shut down
//   kInterrupted   EINTR
// One at a time.
#ifndef TROUPE_TESTS_IO_SOCKETS_CALL_FAULTS_H_
#define TROUPE_TESTS_IO_SOCKETS_CALL_FAULTS_H_

#include <string>

namespace troupe {

class CallFault {
 public:
  enum Kind { kNoRoom, kPeerGone, kInterrupted };

  CallFault(int nth, Kind kind);
  CallFault(const CallFault&) = delete;
  CallFault& operator=(const CallFault&) = delete;
  ~CallFault();

  bool reached() const { return !call().empty(); }
  std::string call() const;
};

}  // namespace troupe

#endif  // TROUPE_TESTS_IO_SOCKETS_CALL_FAULTS_H_
