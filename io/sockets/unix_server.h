// A UNIX server: accepts connections and gives each a transport and a protocol
// (rows U12 to U20, V50, V51).
//
//   auto listener = UnixListener::Bind({.path = "/run/app.sock"});
//   if (!listener.ok()) return listener.status();
//   UnixServer server = SpawnUnixServer(
//       io.host(), io.actor(), *std::move(listener),
//       {.new_protocol = [&](const StreamTransport& stream) {
//         return SpawnResident<caf::hidden>(io.host(), Echo, stream);
//       }});
//   self->request(server, caf::infinite, StartServing{}) ...
//
// Until it stops serving it lives without handles, the file of its socket is
// there, and it accepts up to `backlog` connections for each readiness. When
// descriptors or memory run out, or accepting fails for another reason, it
// tells its owner once and tries again each second; so it does when a new
// protocol fails, and goes on with the next client.
//
// If it is killed, it stops serving; its connections go on.
#ifndef TROUPE_IO_SOCKETS_UNIX_SERVER_H_
#define TROUPE_IO_SOCKETS_UNIX_SERVER_H_

#include "io/io_host.h"
#include "io/io_messages.h"
#include "io/sockets/stream_messages.h"
#include "io/sockets/unix_listener.h"
#include "io/sockets/unix_server_options.h"

namespace troupe {

// Resident on `host`, of the kind kEpoll, whose I/O actor `io` is, like its
// transports; hidden. Any thread.
UnixServer SpawnUnixServer(IoHost& host, const IoActor& io,
                           UnixListener listener, UnixServerOptions options);

}  // namespace troupe

#endif  // TROUPE_IO_SOCKETS_UNIX_SERVER_H_
