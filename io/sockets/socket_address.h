// Where a socket is, as the kernel takes it: a path, an abstract name, or a
// host and a port.
//
//   auto address = SocketAddress::Unix("/run/app.sock");
//   auto abstract = SocketAddress::Unix(absl::string_view("\0app", 4));
//   connect(fd, address->data(), address->size());
//
// A value; any thread.
#ifndef TROUPE_IO_SOCKETS_SOCKET_ADDRESS_H_
#define TROUPE_IO_SOCKETS_SOCKET_ADDRESS_H_

#include <sys/socket.h>

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace troupe {

class SocketAddress {
 public:
  // Of nobody.
  SocketAddress() = default;

  // Passed on unchanged (row FD10): a leading NUL makes it abstract, and what
  // the empty path means is the kernel's business. INVALID_ARGUMENT `AF_UNIX
  // path too long`: 107 bytes are the limit, 108 with the leading NUL.
  static absl::StatusOr<SocketAddress> Unix(absl::string_view path);

  // What accept(2), getsockname(2) and the like have filled in.
  static SocketAddress From(const sockaddr* address, socklen_t size);

  // Of the two ends of a socket; of nobody if it has none.
  static SocketAddress Of(int fd);
  static SocketAddress OfPeer(int fd);

  const sockaddr* data() const {
    return reinterpret_cast<const sockaddr*>(&storage_);
  }
  socklen_t size() const { return size_; }

  // Of a UNIX address, as it was given to Unix; empty for an unbound socket
  // (row FD11) and for other families.
  std::string path() const;

  // As asyncio writes it in errors: `/run/app.sock`, `('127.0.0.1', 80)`,
  // `('::1', 80, 0, 0)`; an abstract name with an @ in front.
  std::string ToString() const;

 private:
  sockaddr_storage storage_ = {};
  socklen_t size_ = 0;
};

}  // namespace troupe

#endif  // TROUPE_IO_SOCKETS_SOCKET_ADDRESS_H_
