// Accepts every connection of a listening socket, as asyncio's servers do (rows
// V41, V42).
//
//   Acceptor acceptor(loop);
//   absl::Status status = acceptor.Start(listener, 100,
//       [&](AcceptedSocket connection) { ... });
//
// At most `batch` connections, and one at least, for each time that the socket
// is ready; each is told by the loop in the next iteration. When descriptors or
// memory run out the loop's exception handler is told once, and it goes on
// after a second; so with any other error, which would be the same again at
// once.
//
// The listening socket stays the caller's; Stop before you close it. Stop and
// the destructor close connections that were not told yet. The loop's thread;
// the loop must outlive it.
#ifndef TROUPE_ACTORS_ACCEPTOR_H_
#define TROUPE_ACTORS_ACCEPTOR_H_

#include <functional>
#include <memory>

#include "absl/status/status.h"
#include "actors/call_handle.h"
#include "actors/loop.h"
#include "io/sockets/socket_accept.h"

namespace troupe {

class Acceptor {
 public:
  using Accepted = std::function<void(AcceptedSocket)>;

  explicit Acceptor(Loop& loop) : loop_(loop) {}
  ~Acceptor() { Stop(); }
  Acceptor(const Acceptor&) = delete;
  Acceptor& operator=(const Acceptor&) = delete;

  // Ends what was before. Errors: `the socket must be non-blocking`, and those
  // of AddReader.
  absl::Status Start(int fd, int batch, Accepted accepted);
  void Stop();

 private:
  absl::Status Watch();
  void AcceptBatch();
  void Report(const absl::Status& why);

  Loop& loop_;
  int fd_ = -1;
  int batch_ = 0;
  bool watching_ = false;
  CallHandle retry_;
  std::shared_ptr<Accepted> accepted_;  // gone when stopped
};

}  // namespace troupe

#endif  // TROUPE_ACTORS_ACCEPTOR_H_
