// The system calls that move bytes: the one place in io that reads and writes
// what a transport serves.
//
// Would-block and end of stream are values, not errors. An interrupted call is
// made again. Sockets are never asked to block, whatever their flags say
// (MSG_DONTWAIT), and never raise SIGPIPE; for the others that is the caller's
// business: O_NONBLOCK, and a thread that blocks the signal.
#ifndef TROUPE_IO_TRANSFER_H_
#define TROUPE_IO_TRANSFER_H_

#include <sys/uio.h>

#include <cstddef>

#include "absl/types/span.h"
#include "io/descriptor_kind.h"

namespace troupe {

struct TransferResult {
  size_t size = 0;           // bytes moved
  bool would_block = false;  // nothing moved, wait for readiness
  int error_number = 0;      // 0 or errno
  bool more = false;         // a short read that did not drain it

  bool ok() const { return error_number == 0 && !would_block; }
};

// `size` 0 with ok() is the end of the stream.
TransferResult ReadSome(int fd, DescriptorKind kind, absl::Span<char> room);

// The size of the next message of a kMessageSocket, which stays there. 0 is an
// empty message, or the end: that it is if the peer is gone.
TransferResult PeekMessage(int fd);
bool PeerIsGone(int fd);

TransferResult WriteSome(int fd, DescriptorKind kind,
                         absl::Span<const iovec> pieces);

}  // namespace troupe

#endif  // TROUPE_IO_TRANSFER_H_
