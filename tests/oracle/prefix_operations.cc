#include <fcntl.h>
#include <sched.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <thread>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "tests/oracle/operations.h"

namespace troupe {
namespace {

using Value = absl::StatusOr<std::string>;

Words After(const Words& words, size_t count) {
  return Words(words.begin() + count, words.end());
}

void AddHere(Stage::Operations& operations) {
  operations["do"] = [](Stage& stage, const Words& words) -> Value {
    stage.Perform(words.at(0));
    return "";
  };
  operations["repeat"] = [](Stage& stage, const Words& words) -> Value {
    int times = 0;
    if (!absl::SimpleAtoi(words.at(0), &times)) std::abort();
    const Words operation = After(words, 1);
    for (int i = 0; i < times; ++i) stage.Do(operation);
    return "";
  };
  operations["say"] = [](Stage&, const Words& words) -> Value {
    Trace(JoinWords(words));
    return "";
  };
  operations["quiet"] = [](Stage& stage, const Words& words) -> Value {
    stage.Silence(words.at(0));
    return "";
  };
  operations["runs"] = [](Stage& stage, const Words& words) -> Value {
    return absl::StrCat(stage.run_count(words.at(0)));
  };
}

void AddElsewhere(Stage::Operations& operations) {
  operations["other"] = [](Stage& stage, const Words& words) -> Value {
    stage.OnOtherLoop([&] { stage.Do(words); });
    return "";
  };
  operations["thread"] = [](Stage& stage, const Words& words) -> Value {
    std::thread([&] { stage.Do(words); }).join();
    return "";
  };
  operations["background"] = [](Stage& stage, const Words& words) -> Value {
    stage.InBackground([&stage, words] {
      WaitForSleep(getpid());
      stage.Do(words);
    });
    return "";
  };
}

}  // namespace

// Nobody announces it, so /proc is asked until it says so. In a forked child,
// too: nothing but system calls.
void WaitForSleep(pid_t process) {
  char path[32];
  snprintf(path, sizeof(path), "/proc/%d/stat", static_cast<int>(process));
  for (;; sched_yield()) {
    char text[256];
    const int fd = open(path, O_RDONLY | O_CLOEXEC);
    const ssize_t size = read(fd, text, sizeof(text) - 1);
    close(fd);
    if (size <= 0) _exit(1);
    text[size] = '\0';
    const char* name_end = strrchr(text, ')');
    if (name_end != nullptr && name_end[2] == 'S') return;
  }
}

void AddPrefixOperations(Stage::Operations& operations) {
  AddHere(operations);
  AddElsewhere(operations);
}

}  // namespace troupe
