#include "io/sockets/descriptor_passing.h"

#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <string>

#include "absl/strings/str_cat.h"
#include "io/os_error.h"

// Linux 6.5; Debian 12's headers are older.
#ifndef SCM_PIDFD
#define SCM_PIDFD 4
#endif

namespace troupe {
namespace {

// All that one call can bring: the descriptors, and what a socket may be told
// to add (SO_PASSCRED, SO_PASSPIDFD, SO_TIMESTAMP, SO_PASSSEC).
struct alignas(cmsghdr) Control {
  char data[CMSG_SPACE(kMostDescriptors * sizeof(int)) +
            CMSG_SPACE(sizeof(ucred)) + CMSG_SPACE(sizeof(int)) +
            CMSG_SPACE(2 * sizeof(long long)) + CMSG_SPACE(512)];
};

TransferResult Result(ssize_t n) {
  if (n >= 0) return {.size = static_cast<size_t>(n)};
  if (errno == EAGAIN || errno == EWOULDBLOCK) return {.would_block = true};
  return {.error_number = errno};
}

std::string NameOfFamily(int family) {
  switch (family) {
    case AF_INET:
      return "an IPv4 socket";
    case AF_INET6:
      return "an IPv6 socket";
    case AF_VSOCK:
      return "a vsock socket";
    default:
      return absl::StrCat("a socket of family ", family);
  }
}

bool IsStream(int fd) {
  int type = 0;
  socklen_t size = sizeof type;
  return getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size) == 0 &&
         type == SOCK_STREAM;
}

bool HasBytes(absl::Span<const iovec> pieces) {
  return std::any_of(pieces.begin(), pieces.end(),
                     [](const iovec& piece) { return piece.iov_len > 0; });
}

void Attach(absl::Span<const int> descriptors, Control& control,
            msghdr& message) {
  const size_t size = descriptors.size() * sizeof(int);
  message.msg_control = control.data;
  message.msg_controllen = CMSG_SPACE(size);
  std::memset(control.data, 0, CMSG_SPACE(size));
  cmsghdr* header = CMSG_FIRSTHDR(&message);
  header->cmsg_level = SOL_SOCKET;
  header->cmsg_type = SCM_RIGHTS;
  header->cmsg_len = CMSG_LEN(size);
  std::memcpy(CMSG_DATA(header), descriptors.data(), size);
}

// Owns every descriptor that the message has put into this process, wanted or
// not.
void Collect(msghdr& message, std::vector<OwnedFd>& descriptors) {
  for (cmsghdr* header = CMSG_FIRSTHDR(&message); header != nullptr;
       header = CMSG_NXTHDR(&message, header)) {
    if (header->cmsg_level != SOL_SOCKET) continue;
    const bool wanted = header->cmsg_type == SCM_RIGHTS;
    if (!wanted && header->cmsg_type != SCM_PIDFD) continue;
    const size_t count = (header->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    for (size_t i = 0; i < count; ++i) {
      int number;
      std::memcpy(&number, CMSG_DATA(header) + i * sizeof number,
                  sizeof number);
      OwnedFd fd(number);
      if (wanted) descriptors.push_back(std::move(fd));
    }
  }
}

}  // namespace

absl::Status CheckPassesDescriptors(int fd) {
  int family = 0;
  socklen_t size = sizeof family;
  if (getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &family, &size) != 0) {
    return OsError(errno, "getsockopt SO_DOMAIN", absl::StrCat("fd ", fd));
  }
  if (family == AF_UNIX) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat("descriptors go over UNIX sockets only, fd ", fd, " is ",
                   NameOfFamily(family)));
}

TransferResult SendWithDescriptors(int fd, absl::Span<const iovec> pieces,
                                   absl::Span<const int> descriptors) {
  if (descriptors.size() > kMostDescriptors) return {.error_number = EINVAL};
  Control control;
  msghdr message = {};
  message.msg_iov = const_cast<iovec*>(pieces.data());
  message.msg_iovlen = pieces.size();
  if (!descriptors.empty()) {
    if (!HasBytes(pieces) && IsStream(fd)) return {.error_number = EINVAL};
    Attach(descriptors, control, message);
  }
  ssize_t n;
  do {
    n = sendmsg(fd, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
  } while (n < 0 && errno == EINTR);
  return Result(n);
}

ReceiveResult ReceiveWithDescriptors(int fd, absl::Span<char> room,
                                     std::vector<OwnedFd>& descriptors) {
  if (room.empty()) return {.bytes = {.error_number = EINVAL}};
  Control control;
  iovec piece = {room.data(), room.size()};
  msghdr message = {};
  ssize_t n;
  do {
    message.msg_iov = &piece;
    message.msg_iovlen = 1;
    message.msg_control = control.data;
    message.msg_controllen = sizeof control.data;
    n = recvmsg(fd, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
  } while (n < 0 && errno == EINTR);
  if (n < 0) return {.bytes = Result(n)};
  Collect(message, descriptors);
  return {.bytes = Result(n),
          .message_cut = (message.msg_flags & MSG_TRUNC) != 0,
          .descriptors_lost = (message.msg_flags & MSG_CTRUNC) != 0};
}

}  // namespace troupe
