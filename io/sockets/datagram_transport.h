// One UNIX datagram socket: receives from many, and sends to any.
//
//   auto socket = BindSocket({.path = "/run/app.sock",
//                             .type = SocketType::kDatagram});
//   if (!socket.ok()) return socket.status();
//   DatagramTransport transport =
//       SpawnDatagramTransport(io.host(), io.actor(), *std::move(socket));
//   self->request(transport, caf::infinite, OpenDatagram{protocol});
//   [=](DatagramReceived& got) {
//     self->send(transport, SendDatagram{answer, got.from});
//   }
//
// A client that wants an answer binds, too: BindSocketAnywhere. A datagram is
// received as a whole, whatever its size. At most `window` bytes, counted as
// the memory they cost, are in flight; then the socket is not read, and whoever
// sends to it waits or fails, which is the kernel's business.
//
// What a receiver has no room for waits, behind what is for the same one, and
// holds up nobody else (datagram_queue.h). When more than `most_waiting` would,
// a datagram is refused, RESOURCE_EXHAUSTED. A datagram that fails, for this or
// any other reason, fails alone: the request is answered with it, for a plain
// message the protocol is told DatagramFailed, and the transport goes on.
//
// CloseTransport receives no more and ends when nothing waits, which is never
// if a receiver lives and does not read; AbortTransport does not wait. The
// socket's file goes first, if it is the one that was bound. Lifetime, owner
// and threads are as for ReadTransport.
#ifndef TROUPE_IO_SOCKETS_DATAGRAM_TRANSPORT_H_
#define TROUPE_IO_SOCKETS_DATAGRAM_TRANSPORT_H_

#include <cstddef>

#include "io/io_host.h"
#include "io/io_messages.h"
#include "io/sockets/bound_socket.h"
#include "io/sockets/datagram_messages.h"

namespace troupe {

struct DatagramTransportOptions {
  size_t window = 256 * 1024;
  size_t most_waiting = 1024 * 1024;  // bytes, and 256 for each datagram
};

// Resident on `host`, of the kind kEpoll, whose I/O actor `io` is; hidden. Any
// thread. A given socket is a BoundSocket without a file.
DatagramTransport SpawnDatagramTransport(IoHost& host, const IoActor& io,
                                         BoundSocket socket,
                                         DatagramTransportOptions options = {});

}  // namespace troupe

#endif  // TROUPE_IO_SOCKETS_DATAGRAM_TRANSPORT_H_
