// Datagrams that are sent to many, each in the order of its receiver.
//
//   DatagramQueue queue;
//   queue.Open(fd);
//   DatagramQueue::Datagram datagram{bytes, to, credit, done};
//   if (!queue.Send(datagram)) queue.Wait(std::move(datagram));
//   if (!queue.empty()) ... queue.Flush() after a pause ...
//
// A receiver whose queue is full holds up what is for it and nothing else. The
// kernel announces no room there: it calls a socket without a peer writable
// when the receiver is full (unix(7)); so one has to ask again, as with a full
// backlog. An error is of one datagram, whose `done` is told, and the next one
// is tried (asyncio's error_received): ECONNREFUSED and ENOENT for a receiver
// that is gone, EMSGSIZE, ENOBUFS.
//
// One thread. A `done` does not call the queue.
#ifndef TROUPE_IO_SOCKETS_DATAGRAM_QUEUE_H_
#define TROUPE_IO_SOCKETS_DATAGRAM_QUEUE_H_

#include <cstddef>
#include <deque>
#include <functional>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "io/bytes.h"
#include "io/credit.h"
#include "io/sockets/socket_address.h"
#include "io/transfer.h"

namespace troupe {

// recvfrom(2) and sendto(2) in the manner of transfer.h. `to` of nobody is the
// peer of a connected socket.
TransferResult ReceiveDatagram(int fd, absl::Span<char> room,
                               SocketAddress& from);
TransferResult SendDatagramTo(int fd, absl::string_view bytes,
                              const SocketAddress& to);

class DatagramQueue {
 public:
  struct Datagram {
    Bytes bytes;
    SocketAddress to;
    Credit credit;  // let go when it is sent
    // OK when the kernel has taken it, else why it never will.
    std::function<void(const absl::Status&, const SocketAddress& to)> done;
  };

  // What a datagram costs beside its bytes.
  static constexpr size_t kCost = 256;

  void Open(int fd) { fd_ = fd; }

  // False if it has to wait: for room, behind others, or for Open.
  bool Send(Datagram& datagram);
  void Wait(Datagram datagram);
  void Flush();

  // Tells each `why`; the bytes that were dropped.
  size_t Clear(const absl::Status& why);

  bool empty() const { return waiting_.empty(); }
  size_t bytes() const { return bytes_; }
  size_t cost() const { return bytes_ + waiting_.size() * kCost; }

 private:
  bool Try(Datagram& datagram);
  bool OthersWaitFor(const SocketAddress& to) const;

  int fd_ = -1;
  std::deque<Datagram> waiting_;
  size_t bytes_ = 0;
};

}  // namespace troupe

#endif  // TROUPE_IO_SOCKETS_DATAGRAM_QUEUE_H_
