#include "io/sockets/unix_bind.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/cord.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/string_view.h"
#include "io/os_error.h"
#include "io/owned_fd.h"
#include "io/sockets/address_probe.h"
#include "io/sockets/file_identity.h"
#include "io/sockets/replace_lock.h"

namespace troupe {
namespace {

constexpr int kRounds = 100;

// As Python writes it: '\x00app' for an abstract name.
std::string Quoted(const std::string& path) {
  std::string text = "'";
  for (const char c : path) {
    if (static_cast<unsigned char>(c) < ' ' || c == '\x7f') {
      absl::StrAppendFormat(&text, "\\x%02x", c);
    } else {
      if (c == '\'' || c == '\\') text += '\\';
      text += c;
    }
  }
  return text + "'";
}

absl::Status AddressInUse(const SocketAddress& address,
                          absl::string_view reason = "") {
  std::string text =
      absl::StrCat("Address ", Quoted(address.path()), " is already in use");
  if (!reason.empty()) {
    absl::StrAppend(&text,
                    ": unable to check or remove stale UNIX socket: ", reason);
  }
  absl::Status status = absl::AlreadyExistsError(text);
  OsError(EADDRINUSE, "bind", address.ToString())
      .ForEachPayload([&](absl::string_view type, const absl::Cord& payload) {
        status.SetPayload(type, payload);
      });
  return status;
}

enum class Occupant { kNobody, kStaleSocket, kTaken };

struct Found {
  Occupant occupant;
  OwnedFd file;  // a stale socket's; keeps the inode number its own
};

absl::StatusOr<Found> Look(const SocketAddress& address) {
  const std::string path = address.path();
  OwnedFd file(open(path.c_str(), O_PATH | O_NOFOLLOW | O_CLOEXEC));
  if (!file.valid()) {
    if (errno == ENOENT) return Found{Occupant::kNobody, {}};
    return OsError(errno, "open", path);
  }
  struct stat status;
  if (fstat(file.get(), &status) != 0) return OsError(errno, "stat", path);
  if (!S_ISSOCK(status.st_mode)) return Found{Occupant::kTaken, {}};
  auto bound = IsBound(address);
  if (!bound.ok()) return bound.status();
  if (*bound) return Found{Occupant::kTaken, {}};
  return Found{Occupant::kStaleSocket, std::move(file)};
}

// Whether the address may be free now.
absl::StatusOr<bool> RemoveStale(const SocketAddress& address) {
  // A look without the lock first: no file appears beside a socket in use.
  auto found = Look(address);
  if (!found.ok()) return found.status();
  if (found->occupant != Occupant::kStaleSocket) {
    return found->occupant == Occupant::kNobody;
  }
  const std::string path = address.path();
  auto lock = ReplaceLock::Take(path);
  if (!lock.ok()) return lock.status();
  if (!lock->has_value()) return false;  // another is about to bind to it
  found = Look(address);
  if (!found.ok()) return found.status();
  if (found->occupant != Occupant::kStaleSocket) {
    return found->occupant == Occupant::kNobody;
  }
  if (IdentityAt(path) != IdentityOf(found->file.get())) return true;
  if (unlink(path.c_str()) != 0 && errno != ENOENT) {
    return OsError(errno, "unlink", path);
  }
  return true;
}

}  // namespace

absl::Status BindUnixSocket(int fd, const SocketAddress& address) {
  const std::string path = address.path();
  for (int round = 0; round < kRounds; ++round) {
    if (bind(fd, address.data(), address.size()) == 0) return absl::OkStatus();
    if (errno != EADDRINUSE) return OsError(errno, "bind", address.ToString());
    if (path.empty() || path[0] == '\0') break;
    auto free = RemoveStale(address);
    if (!free.ok()) return AddressInUse(address, free.status().message());
    if (!*free) break;
  }
  return AddressInUse(address);
}

}  // namespace troupe
