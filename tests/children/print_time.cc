// Prints the monotonic time in nanoseconds and ends at once.
#include <time.h>
#include <unistd.h>

#include <cstdio>

int main() {
  timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  char text[32];
  int size = snprintf(text, sizeof text, "%lld",
                      now.tv_sec * 1000000000ll + now.tv_nsec);
  return write(1, text, size) == size ? 0 : 1;
}
