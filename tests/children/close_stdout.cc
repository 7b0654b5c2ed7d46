// Closes its stdout at once and lives on until the end of its stdin.
#include <unistd.h>

int main() {
  close(1);
  char byte;
  while (read(0, &byte, 1) > 0) {
  }
}
