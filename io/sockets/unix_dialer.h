// Connects to a UNIX address, again and again while the server's backlog is
// full, until a time is over.
//
//   UnixDialer dialer(address, SocketType::kStream, absl::Seconds(60));
//   auto connected = dialer.Try();              // an error is final
//   if (!*connected) ... call it again after dialer.pause() ...
//   OwnedFd fd = dialer.TakeFd();
//
// The kernel does not tell when there is room again (rows U24, V53). No clock
// here: the pauses are summed up. One thread.
#ifndef TROUPE_IO_SOCKETS_UNIX_DIALER_H_
#define TROUPE_IO_SOCKETS_UNIX_DIALER_H_

#include <utility>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "io/owned_fd.h"
#include "io/sockets/backoff.h"
#include "io/sockets/socket_address.h"
#include "io/sockets/socket_type.h"

namespace troupe {

class UnixDialer {
 public:
  UnixDialer(SocketAddress address, SocketType type, absl::Duration timeout)
      : address_(std::move(address)), type_(type), timeout_(timeout) {}

  // False: not yet. DEADLINE_EXCEEDED when the time is over, else what connect
  // says.
  absl::StatusOr<bool> Try();
  absl::Duration pause() const { return pause_; }

  OwnedFd TakeFd() { return std::move(fd_); }

 private:
  const SocketAddress address_;
  const SocketType type_;
  const absl::Duration timeout_;
  OwnedFd fd_;
  Backoff backoff_;
  absl::Duration pause_;
  absl::Duration waited_;
};

}  // namespace troupe

#endif  // TROUPE_IO_SOCKETS_UNIX_DIALER_H_
