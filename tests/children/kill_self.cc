// Sends itself the signal given as its argument; without an end by it, exit
// code
// 99. Leaves no core file.
#include <signal.h>
#include <sys/resource.h>

#include <cstdlib>

int main(int argc, char** argv) {
  rlimit none = {0, 0};
  setrlimit(RLIMIT_CORE, &none);
  raise(argc > 1 ? atoi(argv[1]) : SIGKILL);
  return 99;
}
