// A fixture with a folder of its own for the files of sockets.
//
//   class UnixBindTest : public SocketFolderTest {};
//   TEST_F(UnixBindTest, ...) { LeaveStale("app"); ... Address("app") ... }
#ifndef TROUPE_TESTS_IO_SOCKETS_SOCKET_FOLDER_H_
#define TROUPE_TESTS_IO_SOCKETS_SOCKET_FOLDER_H_

#include <string>
#include <vector>

#include "io/owned_fd.h"
#include "io/sockets/socket_address.h"
#include "tests/support/leak_check.h"
#include "tests/support/scratch_folder.h"

namespace troupe {

class SocketFolderTest : public LeakCheckedTest {
 protected:
  const std::string& folder() const { return folder_.path(); }
  std::string Path(const std::string& name) const {
    return folder_.PathOf(name);
  }
  SocketAddress Address(const std::string& name) const;

  // The names in it, sorted.
  std::vector<std::string> Entries() const;

  // The file of a socket that nobody has any more.
  void LeaveStale(const std::string& name) const;

 private:
  ScratchFolder folder_;
};

// Waits in the backlog of a listening socket until it takes no more.
std::vector<OwnedFd> FillBacklog(const SocketAddress& address);

// lstat(2) as one text, `socket 0755` or `file 0600`; "" when nothing is there.
std::string Describe(const std::string& path);

}  // namespace troupe

#endif  // TROUPE_TESTS_IO_SOCKETS_SOCKET_FOLDER_H_
