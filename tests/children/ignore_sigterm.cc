// Ignores SIGTERM, writes "r" when it does, then waits for the end of its
// stdin.
#include <signal.h>
#include <unistd.h>

int main() {
  signal(SIGTERM, SIG_IGN);
  if (write(1, "r", 1) != 1) return 1;
  char byte;
  while (read(0, &byte, 1) > 0) {
  }
}
