#include "io/sockets/socket_address.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/un.h>

#include <algorithm>
#include <cstddef>
#include <cstring>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"

namespace troupe {
namespace {

constexpr size_t kPathOffset = offsetof(sockaddr_un, sun_path);
constexpr size_t kPathSize = sizeof(sockaddr_un) - kPathOffset;

bool IsAbstract(absl::string_view path) {
  return !path.empty() && path[0] == '\0';
}

std::string Inet4Text(const sockaddr_storage& storage) {
  sockaddr_in address;
  std::memcpy(&address, &storage, sizeof address);
  char host[INET_ADDRSTRLEN] = "";
  inet_ntop(AF_INET, &address.sin_addr, host, sizeof host);
  return absl::StrCat("('", host, "', ", ntohs(address.sin_port), ")");
}

std::string Inet6Text(const sockaddr_storage& storage) {
  sockaddr_in6 address;
  std::memcpy(&address, &storage, sizeof address);
  char host[INET6_ADDRSTRLEN] = "";
  inet_ntop(AF_INET6, &address.sin6_addr, host, sizeof host);
  return absl::StrCat("('", host, "', ", ntohs(address.sin6_port), ", ",
                      ntohl(address.sin6_flowinfo), ", ", address.sin6_scope_id,
                      ")");
}

}  // namespace

absl::StatusOr<SocketAddress> SocketAddress::Unix(absl::string_view path) {
  // The kernel wants room for a NUL behind a path, not behind a name.
  const size_t room = kPathSize - (IsAbstract(path) ? 0 : 1);
  if (path.size() > room) {
    return absl::InvalidArgumentError("AF_UNIX path too long");
  }
  sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  std::copy(path.begin(), path.end(), address.sun_path);
  return From(reinterpret_cast<sockaddr*>(&address), kPathOffset + path.size());
}

SocketAddress SocketAddress::From(const sockaddr* address, socklen_t size) {
  SocketAddress result;
  result.size_ = std::min<socklen_t>(size, sizeof result.storage_);
  std::memcpy(&result.storage_, address, result.size_);
  return result;
}

SocketAddress SocketAddress::Of(int fd) {
  SocketAddress address;
  socklen_t size = sizeof address.storage_;
  auto* room = reinterpret_cast<sockaddr*>(&address.storage_);
  if (getsockname(fd, room, &size) == 0) address.size_ = size;
  return address;
}

SocketAddress SocketAddress::OfPeer(int fd) {
  SocketAddress address;
  socklen_t size = sizeof address.storage_;
  auto* room = reinterpret_cast<sockaddr*>(&address.storage_);
  if (getpeername(fd, room, &size) == 0) address.size_ = size;
  return address;
}

std::string SocketAddress::path() const {
  if (storage_.ss_family != AF_UNIX || size_ <= kPathOffset) return "";
  const char* begin = reinterpret_cast<const char*>(&storage_) + kPathOffset;
  const absl::string_view whole(begin, size_ - kPathOffset);
  const absl::string_view path =
      IsAbstract(whole) ? whole : whole.substr(0, whole.find('\0'));
  return std::string(path.data(), path.size());
}

std::string SocketAddress::ToString() const {
  if (storage_.ss_family == AF_INET) return Inet4Text(storage_);
  if (storage_.ss_family == AF_INET6) return Inet6Text(storage_);
  std::string text = path();
  if (IsAbstract(text)) text[0] = '@';
  return text;
}

}  // namespace troupe
