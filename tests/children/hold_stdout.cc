// Ends at once with code 0, while a grandchild holds stdout and stdin until the
// end of stdin. Prints the grandchild's pid.
#include <unistd.h>

#include <cstdio>

int main() {
  int pid = fork();
  if (pid != 0) {
    printf("%d\n", pid);
    return 0;
  }
  char byte;
  while (read(0, &byte, 1) > 0) {
  }
}
