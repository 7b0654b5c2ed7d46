// Prints the directory it runs in.
#include <limits.h>
#include <unistd.h>

#include <cstdio>

int main() {
  char path[PATH_MAX];
  puts(getcwd(path, sizeof path) != nullptr ? path : "?");
}
