#include "tests/io/sockets/socket_folder.h"

#include <sys/socket.h>
#include <sys/stat.h>

#include <algorithm>
#include <filesystem>
#include <utility>

#include "absl/strings/str_format.h"
#include "gtest/gtest.h"
#include "tests/support/unix_sockets.h"

namespace troupe {

SocketAddress SocketFolderTest::Address(const std::string& name) const {
  return *SocketAddress::Unix(Path(name));
}

std::vector<std::string> SocketFolderTest::Entries() const {
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(folder())) {
    names.push_back(entry.path().filename());
  }
  std::sort(names.begin(), names.end());
  return names;
}

void SocketFolderTest::LeaveStale(const std::string& name) const {
  const SocketAddress address = Address(name);
  const OwnedFd fd = NonBlockingSocket(AF_UNIX);
  EXPECT_EQ(bind(fd.get(), address.data(), address.size()), 0);
}

std::vector<OwnedFd> FillBacklog(const SocketAddress& address) {
  std::vector<OwnedFd> clients;
  for (;;) {
    OwnedFd client = NonBlockingSocket(address.data()->sa_family);
    if (connect(client.get(), address.data(), address.size()) != 0) break;
    clients.push_back(std::move(client));
  }
  return clients;
}

std::string Describe(const std::string& path) {
  struct stat file;
  if (lstat(path.c_str(), &file) != 0) return "";
  std::string kind = "other";
  if (S_ISSOCK(file.st_mode)) kind = "socket";
  if (S_ISREG(file.st_mode)) kind = "file";
  if (S_ISDIR(file.st_mode)) kind = "folder";
  if (S_ISLNK(file.st_mode)) kind = "link";
  if (S_ISFIFO(file.st_mode)) kind = "fifo";
  return absl::StrFormat("%s %04o", kind, file.st_mode & 07777);
}

}  // namespace troupe
