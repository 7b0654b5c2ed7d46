// Copies stdin to stdout as it comes.
#include <unistd.h>

int main() {
  char buffer[65536];
  ssize_t n;
  while ((n = read(0, buffer, sizeof buffer)) > 0) {
    for (ssize_t done = 0; done < n;) {
      ssize_t written = write(1, buffer + done, n - done);
      if (written < 0) return 1;
      done += written;
    }
  }
}
