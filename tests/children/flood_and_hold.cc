// Ends at once, while a grandchild writes as many bytes as the argument says to
// stdout, then one to stderr, and holds both until the end of stdin.
#include <unistd.h>

#include <cstdlib>

int main(int argc, char** argv) {
  if (fork() != 0) return 0;
  static char buffer[65536];
  for (long left = argc > 1 ? atol(argv[1]) : 0; left > 0;) {
    long want = left < static_cast<long>(sizeof buffer) ? left : sizeof buffer;
    ssize_t n = write(1, buffer, want);
    if (n < 0) return 1;
    left -= n;
  }
  if (write(2, "w", 1) != 1) return 1;
  char byte;
  while (read(0, &byte, 1) > 0) {
  }
}
