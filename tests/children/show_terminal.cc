// Prints "terminal" with one digit for each of 0, 1 and 2 that is one, "leads"
// if its group is the foreground group of its own terminal, and the size as
// rows "x" columns; then each new size. "quit" ends it, so does the end of its
// stdin.
#include <fcntl.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <cstring>

static int Terminal() {
  for (int fd = 0; fd < 3; ++fd) {
    if (isatty(fd)) return fd;
  }
  return 0;
}

static void PrintSize(int) {
  winsize size = {};
  ioctl(Terminal(), TIOCGWINSZ, &size);
  char line[64];
  int length =
      snprintf(line, sizeof line, "size %dx%d\n", size.ws_row, size.ws_col);
  if (write(1, line, length) != length) _exit(1);
}

int main() {
  struct sigaction action = {};
  action.sa_handler = PrintSize;
  action.sa_flags = SA_RESTART;
  sigaction(SIGWINCH, &action, nullptr);
  int terminal = open("/dev/tty", O_RDWR | O_CLOEXEC);
  printf("terminal %d%d%d%s\n", isatty(0), isatty(1), isatty(2),
         terminal >= 0 && tcgetpgrp(terminal) == getpgrp() ? " leads" : "");
  fflush(stdout);
  PrintSize(0);
  char line[64];
  ssize_t n = 0;
  while ((n = read(0, line, sizeof line)) > 0) {
    if (strncmp(line, "quit", 4) == 0) break;
    if (write(1, line, n) != n) return 1;
  }
}
