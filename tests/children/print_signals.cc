// Prints what the kernel says of its signals: "SigBlk", "SigIgn" and "SigCgt",
// each with a mask in hex, bit 0 for signal 1.
#include <cstdio>
#include <cstring>
#include <initializer_list>

int main() {
  FILE* status = fopen("/proc/self/status", "r");
  char line[256];
  while (status != nullptr && fgets(line, sizeof line, status) != nullptr) {
    for (const char* name : {"SigBlk:", "SigIgn:", "SigCgt:"}) {
      if (strncmp(line, name, strlen(name)) == 0) fputs(line, stdout);
    }
  }
}
