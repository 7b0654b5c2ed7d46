// Writes "out" to stdout and "err" to stderr, in this order.
#include <unistd.h>

int main() {
  if (write(1, "out", 3) != 3) return 1;
  return write(2, "err", 3) == 3 ? 0 : 1;
}
