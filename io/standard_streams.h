// Descriptors that we did not create: our own 0, 1 and 2, and whatever else
// was inherited.
//
//   auto in = InheritedStream::OpenInput(system, *io, STDIN_FILENO);
//   if (!in.ok()) return in.status();
//   ReadTransport stdin_pipe =
//       SpawnReadTransport(in->thread().host(), in->thread().actor());
//   self->request(stdin_pipe, caf::infinite,
//                 ConnectReadPipe{in->ticket(), protocol, {}});
//
// O_NONBLOCK belongs to the open file description, and so to every process
// that shares it: set on a terminal it makes a sibling `head` fail with
// EAGAIN. It is never set here on what others share:
//
//   FIFO, terminal            opened anew through /proc/self/fd, non-blocking;
//                             served by the shared thread
//   socket                    a duplicate, never asked to block; shared thread
//   regular file, /dev/null,  a duplicate (the offset stays common), blocking;
//   refused by open           served by a thread of its own, which reads and
//                             writes only when poll(2) says so
//
// The number itself stays open and the caller's. A reader therefore sees its
// end of file only when everybody has closed, as always.
//
// The object owns the thread of its own, if there is one: letting it go ends
// the transport that runs there. That is bounded as long as nobody else takes
// what poll announced; a blocking descriptor that two processes read, or a
// blocking terminal whose other side stopped, may hold it up.
#ifndef TROUPE_IO_STANDARD_STREAMS_H_
#define TROUPE_IO_STANDARD_STREAMS_H_

#include <memory>
#include <utility>

#include "absl/status/statusor.h"
#include "caf/fwd.hpp"
#include "io/fd_ticket.h"
#include "io/io_thread.h"
#include "io/owned_fd.h"

namespace troupe {

class InheritedStream {
 public:
  // `shared` must outlive the result. EBADF (OsFailureOf) for a number that is
  // closed or open for the other direction only.
  static absl::StatusOr<InheritedStream> OpenInput(caf::actor_system& system,
                                                   IoThread& shared, int fd);
  static absl::StatusOr<InheritedStream> OpenOutput(caf::actor_system& system,
                                                    IoThread& shared, int fd);

  // The thread to spawn the transport on, and what to connect it to; for one
  // transport.
  IoThread& thread() const { return own_ != nullptr ? *own_ : *shared_; }
  const FdTicket& ticket() const { return ticket_; }

  bool has_own_thread() const { return own_ != nullptr; }

 private:
  InheritedStream(OwnedFd fd, IoThread& shared, std::unique_ptr<IoThread> own)
      : ticket_(std::move(fd)), shared_(&shared), own_(std::move(own)) {}

  static absl::StatusOr<InheritedStream> Open(caf::actor_system& system,
                                              IoThread& shared, int fd,
                                              int access);

  FdTicket ticket_;
  IoThread* shared_;
  std::unique_ptr<IoThread> own_;
};

}  // namespace troupe

#endif  // TROUPE_IO_STANDARD_STREAMS_H_
