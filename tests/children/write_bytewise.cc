// Writes its argument to stdout, one byte per write.
#include <unistd.h>

int main(int argc, char** argv) {
  if (argc < 2) return 2;
  for (const char* byte = argv[1]; *byte != 0; ++byte) {
    if (write(1, byte, 1) != 1) return 1;
  }
}
