// The file of a bound UNIX socket, removed by who bound it and nobody else.
//
//   auto file = SocketFile::At(path);   // right after bind(2)
//   absl::Status removed = file->Remove();
//
// Removed is only the file that was there then, known by device and inode (row
// V47), and only by the process that looked: a forked child's copy removes
// nothing. Let go of it before the socket is closed: until then the inode is
// nobody else's, and no server that starts takes the file for a stale one.
#ifndef TROUPE_IO_SOCKETS_SOCKET_FILE_H_
#define TROUPE_IO_SOCKETS_SOCKET_FILE_H_

#include <sys/types.h>

#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "io/sockets/file_identity.h"

namespace troupe {

class SocketFile {
 public:
  SocketFile() = default;  // none
  // ENOTSOCK for what is no socket. A relative path stays what it means now.
  static absl::StatusOr<SocketFile> At(const std::string& path);

  SocketFile(SocketFile&& other) noexcept { *this = std::move(other); }
  SocketFile& operator=(SocketFile&& other) noexcept;
  ~SocketFile() { Remove().IgnoreError(); }

  // Fine when it is gone or another one is there now. Once: later calls do
  // nothing.
  absl::Status Remove();

  // It stays.
  void Keep() { path_.clear(); }

 private:
  std::string path_;  // empty: none
  FileIdentity identity_ = {};
  pid_t owner_ = 0;
};

}  // namespace troupe

#endif  // TROUPE_IO_SOCKETS_SOCKET_FILE_H_
