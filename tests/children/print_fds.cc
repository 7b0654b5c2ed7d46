// Prints its open descriptors, one per line: number, then "blocking" or
// "nonblocking".
#include <fcntl.h>
#include <unistd.h>

#include <cstdio>

int main() {
  for (int fd = 0; fd < sysconf(_SC_OPEN_MAX); ++fd) {
    int flags = fcntl(fd, F_GETFL);
    if (flags < 0) continue;
    printf("%d %s\n", fd, flags & O_NONBLOCK ? "nonblocking" : "blocking");
  }
}
