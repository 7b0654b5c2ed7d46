#include "tests/support/planned_sendfile.h"

#include <sys/sendfile.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <mutex>
#include <utility>

namespace troupe {
namespace {

std::mutex mutex;
std::deque<int> planned;
std::vector<size_t> asked;

int Note(size_t count) {
  std::lock_guard<std::mutex> lock(mutex);
  asked.push_back(count);
  if (planned.empty()) return 0;
  const int error = planned.front();
  planned.pop_front();
  return error;
}

}  // namespace

void PlannedSendfile::Reset(std::deque<int> errors) {
  std::lock_guard<std::mutex> lock(mutex);
  planned = std::move(errors);
  asked.clear();
}

std::vector<size_t> PlannedSendfile::asked_for() {
  std::lock_guard<std::mutex> lock(mutex);
  return asked;
}

}  // namespace troupe

extern "C" ssize_t sendfile(int out, int in, off_t* offset, size_t count) {
  const int error = troupe::Note(count);
  if (error == 0) return syscall(SYS_sendfile, out, in, offset, count);
  errno = error;
  return -1;
}
