// Prints each of its arguments on a line of its own, the program's name first.
#include <cstdio>

int main(int argc, char** argv) {
  for (int i = 0; i < argc; ++i) puts(argv[i]);
}
