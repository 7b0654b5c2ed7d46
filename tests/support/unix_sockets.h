// UNIX sockets for tests, under names that no other test has.
#ifndef TROUPE_TESTS_SUPPORT_UNIX_SOCKETS_H_
#define TROUPE_TESTS_SUPPORT_UNIX_SOCKETS_H_

#include "io/owned_fd.h"
#include "io/sockets/socket_address.h"

namespace troupe {

// An abstract name: nothing is left behind.
SocketAddress FreshAddress();

OwnedFd NonBlockingSocket(int family);

// Non-blocking, bound and listening.
OwnedFd ListenAt(const SocketAddress& address, int backlog = 16);

}  // namespace troupe

#endif  // TROUPE_TESTS_SUPPORT_UNIX_SOCKETS_H_
