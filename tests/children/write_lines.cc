// Writes a burst of lines to stdout and then one to stderr, and so three times:
// `out 0`, `out 1` ... and `err 0` ..., as many in each burst as the argument
// says. It waits whenever nobody reads.
#include <unistd.h>

#include <cstdlib>
#include <string>

int main(int argc, char** argv) {
  const int burst = argc > 1 ? atoi(argv[1]) : 1;
  for (int first = 0; first < 3 * burst; first += burst) {
    for (int fd : {1, 2}) {
      std::string text;
      for (int i = first; i < first + burst; ++i) {
        text += (fd == 1 ? "out " : "err ") + std::to_string(i) + "\n";
      }
      for (size_t done = 0; done < text.size();) {
        ssize_t n = write(fd, text.data() + done, text.size() - done);
        if (n < 0) return 1;
        done += n;
      }
    }
  }
}
