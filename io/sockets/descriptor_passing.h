// Sends open descriptors through a UNIX socket, and receives them (SCM_RIGHTS).
//
//   TransferResult sent = SendWithDescriptors(fd, pieces, {log, input});
//
//   std::vector<OwnedFd> descriptors;
//   auto got = ReceiveWithDescriptors(fd, room, descriptors);
//   if (got.descriptors_lost) ...
//
// Descriptors ride on the first byte of what one call sends. A stream may take
// fewer bytes than it was offered: the descriptors are gone with them, and the
// rest is sent without. They arrive together, in order, and with the call that
// receives that byte; it may bring bytes of earlier calls, but none of later
// ones.
//
// As in io/transfer.h: never blocks, whatever the flags of the socket; no
// SIGPIPE; an interrupted call is made again. Any thread.
#ifndef TROUPE_IO_SOCKETS_DESCRIPTOR_PASSING_H_
#define TROUPE_IO_SOCKETS_DESCRIPTOR_PASSING_H_

#include <sys/uio.h>

#include <cstddef>
#include <vector>

#include "absl/status/status.h"
#include "absl/types/span.h"
#include "io/owned_fd.h"
#include "io/transfer.h"

namespace troupe {

// The kernel's limit for one call (SCM_MAX_FD of unix(7)).
constexpr size_t kMostDescriptors = 253;

// What one is counted as, in bytes, by water marks and by credit, although the
// kernel's memory for it is less: a process has far fewer of them. So a stream
// with a window of 256 KiB is not read any more when some 60 are not let go;
// what is read last comes whole, with kMostDescriptors at most. A high mark of
// 64 KiB is reached by 16.
constexpr size_t kDescriptorCost = 4096;

// INVALID_ARGUMENT if `fd` is no UNIX socket: what leads to another host or
// virtual machine passes none.
absl::Status CheckPassesDescriptors(int fd);

// The descriptors stay the caller's; they are in the message, too, until it is
// received, and may be closed. EINVAL: more than kMostDescriptors, or some
// without a byte on a stream, where nothing would carry them. EBADF: one is not
// open, nothing was sent. ETOOMANYREFS: too many of this user are under way.
TransferResult SendWithDescriptors(int fd, absl::Span<const iovec> pieces,
                                   absl::Span<const int> descriptors);

struct ReceiveResult {
  // `size` 0 with ok() is the end of the stream or an empty message, which may
  // have brought descriptors all the same.
  TransferResult bytes = {};
  // The message did not fit the room; what did not is gone. Not of streams.
  bool message_cut = false;
  // Some could not be had, because the descriptor table is full, and are
  // closed. Those before them are there.
  bool descriptors_lost = false;
};

// Descriptors are appended to `descriptors`, close-on-exec. EINVAL without
// room: it would look like the end.
ReceiveResult ReceiveWithDescriptors(int fd, absl::Span<char> room,
                                     std::vector<OwnedFd>& descriptors);

}  // namespace troupe

#endif  // TROUPE_IO_SOCKETS_DESCRIPTOR_PASSING_H_
