// Whether a living socket is bound to a path, asked without that socket's
// noticing.
//
// The question is put by a datagram socket, and not by one of the server's
// type: the kernel refuses it with EPROTOTYPE when the address is bound, even
// if nobody listens yet, and with ECONNREFUSED only when nobody is bound. So no
// connection arrives at a server that was merely asked about, a full backlog
// neither hangs nor misleads, and a server between bind(2) and listen(2) is
// alive. A process that only inherited the socket counts.
//
// Of paths only: abstract names are kept apart by type.
#ifndef TROUPE_IO_SOCKETS_ADDRESS_PROBE_H_
#define TROUPE_IO_SOCKETS_ADDRESS_PROBE_H_

#include "absl/status/statusor.h"
#include "io/sockets/socket_address.h"

namespace troupe {

// An error, EACCES for one, when it cannot be told. Never blocks.
absl::StatusOr<bool> IsBound(const SocketAddress& address);

}  // namespace troupe

#endif  // TROUPE_IO_SOCKETS_ADDRESS_PROBE_H_
