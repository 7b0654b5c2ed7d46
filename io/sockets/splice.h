// Moves one stream into another, without a copy through this process's memory
// (splice_pump.h): what a proxy does with two of them.
//
//   self->request(SpawnSplice(io.host(), io.actor()), caf::infinite,
//                 Splice{FdTicket(std::move(a)), FdTicket(std::move(b))})
//       .then([](Spliced all) {}, [](caf::error& why) {});
//
// It is over when `from` has ended and all of it is in `to`, or `count` bytes
// are. In the first case `to` is half closed: shut down for writing, if it is a
// socket, so that copies of it still read. Its reader's pace is the writer's:
// between the two no more than a pipe holds is on its way.
//
// Errors: kInvalidArgument for other descriptors; the kernel's, whose step says
// which side it was (`splice from`, `splice to`): EPIPE for a reader of `to`
// that is gone, also if nothing is moved just then. kCancelled says how much
// went out, and how much was taken from `from` and is lost, which happens only
// between two sockets. Whoever asked is answered in every case; both
// descriptors are closed and the actor ends. Dropping its last handle does not
// cancel it.
#ifndef TROUPE_IO_SOCKETS_SPLICE_H_
#define TROUPE_IO_SOCKETS_SPLICE_H_

#include "io/io_host.h"
#include "io/io_messages.h"
#include "io/sockets/splice_messages.h"

namespace troupe {

// Resident on `host`, of the kind kEpoll, whose I/O actor `io` is; hidden. Any
// thread.
Splicer SpawnSplice(IoHost& host, const IoActor& io);

}  // namespace troupe

#endif  // TROUPE_IO_SOCKETS_SPLICE_H_
