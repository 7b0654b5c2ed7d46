// The child of the workloads that spawn: a static program that does as little
// as a program can. It ends when its stdin does.
#include <sys/syscall.h>
#include <unistd.h>

_Noreturn void _start(void) {
  char byte;
  syscall(SYS_read, 0, &byte, 1);
  for (;;) syscall(SYS_exit_group, 0);
}
