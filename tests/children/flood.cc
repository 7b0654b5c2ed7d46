// Writes as many bytes as its argument says, for ever without one, as fast as
// it can; exit code 1 when nobody reads any more.
#include <signal.h>
#include <unistd.h>

#include <cstdlib>

int main(int argc, char** argv) {
  signal(SIGPIPE, SIG_IGN);
  static char buffer[65536];
  long long left = argc > 1 ? atoll(argv[1]) : -1;
  while (left != 0) {
    size_t want = sizeof buffer;
    if (left > 0 && left < static_cast<long long>(want)) want = left;
    ssize_t n = write(1, buffer, want);
    if (n < 0) return 1;
    if (left > 0) left -= n;
  }
}
