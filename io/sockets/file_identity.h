// Which file it is, whatever names it has: device and inode.
//
//   if (IdentityAt(path) == IdentityOf(fd)) ...  // still that very file
//
// A number comes back when its file is gone, so it says something only while
// the file is kept: by a descriptor (O_PATH is enough) or by a socket that is
// bound to it.
#ifndef TROUPE_IO_SOCKETS_FILE_IDENTITY_H_
#define TROUPE_IO_SOCKETS_FILE_IDENTITY_H_

#include <sys/types.h>

#include <optional>
#include <string>

namespace troupe {

struct FileIdentity {
  dev_t device;
  ino_t inode;

  friend bool operator==(const FileIdentity&, const FileIdentity&) = default;
};

// Nothing, with errno, when it cannot be told.
std::optional<FileIdentity> IdentityOf(int fd);
std::optional<FileIdentity> IdentityAt(const std::string& path);  // lstat(2)

}  // namespace troupe

#endif  // TROUPE_IO_SOCKETS_FILE_IDENTITY_H_
