// A program that is started with descriptors, for listen_fds_test: prints what
// TakeListenFds gives the first time and the second, and what is left of the
// variables.
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdio>
#include <cstring>

#include "io/sockets/listen_fds.h"

namespace troupe {
namespace {

void Print() {
  auto passed = TakeListenFds();
  if (!passed.ok()) {
    printf("%s\n", std::string(passed.status().message()).c_str());
    return;
  }
  for (const PassedFd& each : *passed) {
    const bool inherited = (fcntl(each.fd.get(), F_GETFD) & FD_CLOEXEC) == 0;
    int listens = 0;
    socklen_t size = sizeof listens;
    getsockopt(each.fd.get(), SOL_SOCKET, SO_ACCEPTCONN, &listens, &size);
    printf("%d %s%s%s\n", each.fd.get(), each.name.c_str(),
           listens ? " listens" : "", inherited ? " inherited" : "");
  }
  printf("%zu\n", passed->size());
}

}  // namespace
}  // namespace troupe

int main() {
  troupe::Print();
  troupe::Print();
  for (char** entry = environ; *entry != nullptr; ++entry) {
    if (strncmp(*entry, "LISTEN_", 7) == 0) puts(*entry);
  }
}
