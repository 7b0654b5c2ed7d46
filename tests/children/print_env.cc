// Prints its environment, one variable per line.
#include <unistd.h>

#include <cstdio>

int main() {
  for (char** entry = environ; *entry != nullptr; ++entry) puts(*entry);
}
