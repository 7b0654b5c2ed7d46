// What asyncio's loop.sock_* do: operations on non-blocking sockets whose
// descriptors stay the caller's (rows FD8 to FD14).
//
//   SockOperations socks(loop);
//   socks.Connect(fd, address, [&](absl::Status connected) {
//     socks.SendAll(fd, Bytes("hello\n"), nullptr);
//     socks.Recv(fd, 4096, [](absl::StatusOr<Bytes> got) { ... });
//   });
//
// Each is tried at once, then when the socket is ready. Its `done` (which may
// be empty) is called once, by the loop, never from inside the call; not at all
// if the operation was cancelled, or the object is gone, before. Operations on
// one side of one socket take place in the order they were asked for.
//
// Errors: `the socket must be non-blocking`, what Loop::CheckDescriptor says,
// kAborted if somebody else takes the descriptor's side, and the kernel's as
// OsFailure. Cancel before you close the socket.
//
// The loop's thread; the loop must outlive it.
#ifndef TROUPE_ACTORS_SOCK_OPERATIONS_H_
#define TROUPE_ACTORS_SOCK_OPERATIONS_H_

#include <cstddef>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "actors/code_location.h"
#include "actors/loop.h"
#include "actors/sock_queue.h"
#include "io/bytes.h"
#include "io/sockets/socket_accept.h"
#include "io/sockets/socket_address.h"

namespace troupe {

class SockOperations {
 public:
  template <class Outcome>
  using Done = absl::AnyInvocable<void(Outcome)>;

  explicit SockOperations(Loop& loop) : queue_(loop) {}

  // At most `max` bytes; none is the end of the stream.
  SockHandle Recv(int fd, size_t max, Done<absl::StatusOr<Bytes>> done,
                  CodeLocation where = CodeLocation::Here());

  // The same into memory that stays valid until `done` or Cancel.
  SockHandle RecvInto(int fd, absl::Span<char> room,
                      Done<absl::StatusOr<size_t>> done,
                      CodeLocation where = CodeLocation::Here());

  // After an error or a Cancel it is not known how much was sent.
  SockHandle SendAll(int fd, Bytes bytes, Done<absl::Status> done,
                     CodeLocation where = CodeLocation::Here());

  // `Connect call failed ADDRESS: ...` if the error came later. A UNIX socket
  // whose server's backlog is full is tried again, from 1 ms to 100 ms apart,
  // until it is taken or cancelled (row U24).
  SockHandle Connect(int fd, const SocketAddress& address,
                     Done<absl::Status> done,
                     CodeLocation where = CodeLocation::Here());

  // One connection; one that was given up before we saw it is passed over
  // (V41). For all of them: acceptor.h.
  SockHandle Accept(int fd, Done<absl::StatusOr<AcceptedSocket>> done,
                    CodeLocation where = CodeLocation::Here());

  // What waits for a descriptor ends with `why`; before it is closed.
  void EndAll(int fd, const absl::Status& why) { queue_.EndAll(fd, why); }

  // For other operations that take their turn among these.
  SockQueue& queue() { return queue_; }

 private:
  SockQueue queue_;
};

}  // namespace troupe

#endif  // TROUPE_ACTORS_SOCK_OPERATIONS_H_
