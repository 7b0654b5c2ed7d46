#include "io/sockets/datagram_queue.h"

#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>
#include <vector>

#include "io/os_error.h"

namespace troupe {
namespace {

TransferResult Result(ssize_t n) {
  if (n >= 0) return {.size = static_cast<size_t>(n)};
  if (errno == EAGAIN || errno == EWOULDBLOCK) return {.would_block = true};
  return {.error_number = errno};
}

bool Same(const SocketAddress& a, const SocketAddress& b) {
  return a.size() == b.size() && memcmp(a.data(), b.data(), a.size()) == 0;
}

}  // namespace

TransferResult ReceiveDatagram(int fd, absl::Span<char> room,
                               SocketAddress& from) {
  sockaddr_storage storage;
  auto* name = reinterpret_cast<sockaddr*>(&storage);
  socklen_t size;
  ssize_t n;
  do {
    size = sizeof storage;
    n = recvfrom(fd, room.data(), room.size(), MSG_DONTWAIT, name, &size);
  } while (n < 0 && errno == EINTR);
  if (n >= 0) from = SocketAddress::From(name, size);
  return Result(n);
}

TransferResult SendDatagramTo(int fd, absl::string_view bytes,
                              const SocketAddress& to) {
  ssize_t n;
  do {
    n = sendto(fd, bytes.data(), bytes.size(), MSG_DONTWAIT | MSG_NOSIGNAL,
               to.size() == 0 ? nullptr : to.data(), to.size());
  } while (n < 0 && errno == EINTR);
  return Result(n);
}

bool DatagramQueue::Send(Datagram& datagram) {
  return fd_ >= 0 && !OthersWaitFor(datagram.to) && Try(datagram);
}

void DatagramQueue::Wait(Datagram datagram) {
  bytes_ += datagram.bytes.size();
  waiting_.push_back(std::move(datagram));
}

bool DatagramQueue::OthersWaitFor(const SocketAddress& to) const {
  return std::any_of(waiting_.begin(), waiting_.end(),
                     [&](const Datagram& other) { return Same(other.to, to); });
}

// False if it has to wait.
bool DatagramQueue::Try(Datagram& datagram) {
  const TransferResult sent =
      SendDatagramTo(fd_, datagram.bytes.view(), datagram.to);
  if (sent.would_block) return false;
  datagram.credit.Release();
  datagram.done(
      sent.ok() ? absl::OkStatus()
                : OsError(sent.error_number, "sendto", datagram.to.ToString()),
      datagram.to);
  return true;
}

void DatagramQueue::Flush() {
  std::vector<SocketAddress> full;
  std::deque<Datagram> left;
  for (Datagram& datagram : std::exchange(waiting_, {})) {
    const bool waits = std::any_of(
        full.begin(), full.end(),
        [&](const SocketAddress& other) { return Same(other, datagram.to); });
    if (!waits) {
      bytes_ -= datagram.bytes.size();
      if (Try(datagram)) continue;
      bytes_ += datagram.bytes.size();
      full.push_back(datagram.to);
    }
    left.push_back(std::move(datagram));
  }
  waiting_ = std::move(left);
}

size_t DatagramQueue::Clear(const absl::Status& why) {
  fd_ = -1;
  for (Datagram& datagram : std::exchange(waiting_, {})) {
    datagram.done(why, datagram.to);
  }
  return std::exchange(bytes_, 0);
}

}  // namespace troupe
