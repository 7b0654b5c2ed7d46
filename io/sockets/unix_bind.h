// Binds a UNIX socket to a path, in place of the file of a socket that is gone.
//
//   absl::Status bound = BindUnixSocket(fd, address);
//   // ALREADY_EXISTS: Address '/run/app.sock' is already in use
//
// A server that was killed leaves its socket file behind, and bind(2) refuses a
// path that is there, whatever it is. Such a stale file is removed; nothing
// else ever is: no file of a socket that anybody is bound to (rows U3, V49), no
// file of another kind, no symbolic link, to a socket, to a stale one or to
// nothing (rows U4, U6).
//
// Processes that start at once cannot take each other's socket away: bind(2)
// itself lets one of them through, a bound socket is alive from then on
// (address_probe.h), and only who holds the lock (replace_lock.h) looks again
// and removes. The others are told that the address is in use. The lock is
// taken when there is a stale file and for as long as it takes to remove it:
// normally nothing but the socket ever appears in the folder, and a crash in
// that moment leaves an empty file that the next start removes.
//
// A program that does not take the lock, and removes and binds while we do, is
// noticed unless it does so between two adjacent system calls of ours: the file
// is removed only if it is still the one that was found stale.
#ifndef TROUPE_IO_SOCKETS_UNIX_BIND_H_
#define TROUPE_IO_SOCKETS_UNIX_BIND_H_

#include "absl/status/status.h"
#include "io/sockets/socket_address.h"

namespace troupe {

// What is in use is refused with asyncio's text and EADDRINUSE as OsFailure;
// when it could not be found out or a stale file not be removed (row U5), the
// reason follows the text. Other errors are those of bind(2) (row U7). An
// abstract name leaves nothing behind that could be stale (row U9). Never
// waits.
absl::Status BindUnixSocket(int fd, const SocketAddress& address);

}  // namespace troupe

#endif  // TROUPE_IO_SOCKETS_UNIX_BIND_H_
