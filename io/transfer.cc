#include "io/transfer.h"

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>

#include "io/plain_call.h"

namespace troupe {
namespace {

bool IsSocket(DescriptorKind kind) {
  return kind == DescriptorKind::kStreamSocket ||
         kind == DescriptorKind::kMessageSocket;
}

TransferResult Result(ssize_t n) {
  if (n >= 0) return {.size = static_cast<size_t>(n)};
  if (errno == EAGAIN || errno == EWOULDBLOCK) return {.would_block = true};
  return {.error_number = errno};
}

// A read of a UNIX socket ends behind bytes that descriptors rode on. They are
// closed, for there is no room for them, and that is how we know.
TransferResult ReadStreamSocket(int fd, absl::Span<char> room) {
  iovec piece = {room.data(), room.size()};
  msghdr message = {};
  message.msg_iov = &piece;
  message.msg_iovlen = 1;
  ssize_t n;
  do {
    n = PlainReceive(fd, &message, MSG_DONTWAIT);
  } while (n < 0 && errno == EINTR);
  TransferResult done = Result(n);
  done.more = (message.msg_flags & MSG_CTRUNC) != 0;
  return done;
}

}  // namespace

TransferResult ReadSome(int fd, DescriptorKind kind, absl::Span<char> room) {
  if (kind == DescriptorKind::kStreamSocket) return ReadStreamSocket(fd, room);
  ssize_t n;
  do {
    n = IsSocket(kind) ? recv(fd, room.data(), room.size(), MSG_DONTWAIT)
                       : read(fd, room.data(), room.size());
  } while (n < 0 && errno == EINTR);
  return Result(n);
}

TransferResult PeekMessage(int fd) {
  char first;
  ssize_t n;
  do {
    n = recv(fd, &first, 1, MSG_DONTWAIT | MSG_PEEK | MSG_TRUNC);
  } while (n < 0 && errno == EINTR);
  return Result(n);
}

bool PeerIsGone(int fd) {
  pollfd peer{fd, POLLRDHUP, 0};
  return poll(&peer, 1, 0) == 1;
}

TransferResult WriteSome(int fd, DescriptorKind kind,
                         absl::Span<const iovec> pieces) {
  ssize_t n;
  do {
    if (IsSocket(kind) && pieces.size() == 1) {
      n = PlainSend(fd, pieces[0].iov_base, pieces[0].iov_len,
                    MSG_DONTWAIT | MSG_NOSIGNAL);
    } else if (IsSocket(kind)) {
      msghdr message = {};
      message.msg_iov = const_cast<iovec*>(pieces.data());
      message.msg_iovlen = pieces.size();
      n = sendmsg(fd, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
    } else {
      n = writev(fd, pieces.data(), pieces.size());
    }
  } while (n < 0 && errno == EINTR);
  return Result(n);
}

}  // namespace troupe
