// Leads a process group of two: prints the pid of the second process when that
// is ready, then waits for ever. At SIGTERM the second one, by the argument,
//   ignore   goes on for ever
//   linger   writes "t", waits for the end of stdin, writes "d" and ends
#include <signal.h>
#include <unistd.h>

#include <cstdio>
#include <cstring>

namespace {

void Put(const char* text) {
  [[maybe_unused]] ssize_t n = write(1, text, strlen(text));
}

void RunSecond(bool linger, int ready) {
  sigset_t term;
  sigemptyset(&term);
  sigaddset(&term, SIGTERM);
  sigprocmask(SIG_BLOCK, &term, nullptr);
  close(ready);
  int number;
  do {
    sigwait(&term, &number);
  } while (!linger);
  Put("t");
  char byte;
  while (read(0, &byte, 1) > 0) {
  }
  Put("d");
}

}  // namespace

int main(int argc, char** argv) {
  int ready[2];
  if (pipe(ready) != 0) return 1;
  int second = fork();
  if (second == 0) {
    close(ready[0]);
    RunSecond(argc > 1 && strcmp(argv[1], "linger") == 0, ready[1]);
    return 0;
  }
  close(ready[1]);
  char byte;
  while (read(ready[0], &byte, 1) > 0) {
  }
  printf("%d\n", second);
  fflush(stdout);
  for (;;) pause();
}
