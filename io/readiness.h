// What was asked of a descriptor and what was got, in epoll's bits.
#ifndef TROUPE_IO_READINESS_H_
#define TROUPE_IO_READINESS_H_

#include <sys/epoll.h>

#include <cstdint>

namespace troupe {

// A watch has a side for whoever reads and a side for whoever writes.
enum class Side : uint8_t { kRead = 0, kWrite = 1 };

// What a side waits for.
enum class Interest : uint8_t {
  kReadable,  // the read side's only interest: input, end, error
  kWritable,  // room for output, peer gone, error
  kPeerGone,  // the write side between two writes: hang-up and error only
};

// What became of it. HungUp means nobody is at the other end any more;
// PeerHalfClosed only that no more input comes from there.
struct Readiness {
  uint32_t events = 0;

  bool Readable() const {
    return events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR);
  }
  bool Writable() const { return events & (EPOLLOUT | EPOLLHUP | EPOLLERR); }
  bool HungUp() const { return events & EPOLLHUP; }
  bool Error() const { return events & EPOLLERR; }
  bool PeerHalfClosed() const { return events & EPOLLRDHUP; }

  // After one of these a short read does not mean "drained": the end follows.
  bool EndFollows() const {
    return events & (EPOLLHUP | EPOLLRDHUP | EPOLLERR);
  }
};

}  // namespace troupe

#endif  // TROUPE_IO_READINESS_H_
