#include "io/transport_setup.h"

#include <fcntl.h>

#include <cerrno>

#include "absl/strings/str_cat.h"
#include "caf/node_id.hpp"
#include "io/os_error.h"

namespace troupe {

absl::StatusOr<DescriptorKind> PrepareDescriptor(const FdTicket& ticket,
                                                 bool may_block, Side side) {
  int fd = ticket.number();
  auto kind = KindOf(fd);
  if (!kind.ok() || may_block) return kind;
  if (!IsPipeLike(*kind)) {
    return absl::InvalidArgumentError(
        side == Side::kRead
            ? "Pipe transport is for pipes/sockets only."
            : "Pipe transport is only for pipes, sockets and character "
              "devices");
  }
  if (*kind == DescriptorKind::kStreamSocket ||
      *kind == DescriptorKind::kMessageSocket) {
    return kind;
  }
  int flags = fcntl(fd, F_GETFL);
  if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0) {
    return OsError(errno, "fcntl O_NONBLOCK", absl::StrCat("fd ", fd));
  }
  return kind;
}

std::string ConnectedText(const TransportInfo& info,
                          const caf::strong_actor_ptr& protocol) {
  const char* what = info.kind == TransportInfo::Kind::kRead    ? "Read pipe "
                     : info.kind == TransportInfo::Kind::kWrite ? "Write pipe "
                                                                : "Socket ";
  const std::string who = protocol == nullptr
                              ? "no protocol"
                              : absl::StrCat("<actor ", protocol->id(), ">");
  return absl::StrCat(what, info.fd, " connected: (", ToString(info), ", ", who,
                      ")");
}

absl::Status CheckLocal(const caf::strong_actor_ptr& protocol, Side side,
                        const caf::node_id& here) {
  if (protocol == nullptr) {
    if (side == Side::kWrite) return absl::OkStatus();
    return absl::InvalidArgumentError("a transport needs a protocol");
  }
  if (protocol->node() != here) {
    return absl::InvalidArgumentError(
        "the protocol lives on another machine: bytes and credit do not cross "
        "the network without a proxy");
  }
  return absl::OkStatus();
}

}  // namespace troupe
