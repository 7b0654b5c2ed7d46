#include "tests/support/leak_check.h"

#include <dirent.h>
#include <limits.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <fstream>
#include <memory>
#include <sstream>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "tests/support/yield_until.h"

namespace troupe {
namespace {

std::vector<std::string> Entries(const std::string& folder, int* own_fd) {
  std::vector<std::string> names;
  std::unique_ptr<DIR, int (*)(DIR*)> dir(opendir(folder.c_str()), closedir);
  if (dir == nullptr) return names;
  if (own_fd != nullptr) *own_fd = dirfd(dir.get());
  while (dirent* entry = readdir(dir.get())) {
    if (entry->d_name[0] != '.') names.push_back(entry->d_name);
  }
  std::sort(names.begin(), names.end());
  return names;
}

// The state and parent in /proc/PID/stat follow the last ')' of the name.
std::string DescribeChild(const std::string& pid) {
  std::ifstream in(absl::StrCat("/proc/", pid, "/stat"));
  std::string line;
  std::getline(in, line);
  size_t open = line.find('('), close = line.rfind(')');
  if (open == std::string::npos || close == std::string::npos) return "";
  std::istringstream rest(line.substr(close + 1));
  std::string state;
  int parent = 0;
  rest >> state >> parent;
  if (parent != getpid()) return "";
  return absl::StrCat(pid, " ", state, " ",
                      line.substr(open + 1, close - open - 1));
}

}  // namespace

std::vector<std::string> OpenDescriptors() {
  int own = -1;
  std::vector<std::string> result;
  for (const std::string& name : Entries("/proc/self/fd", &own)) {
    if (name == absl::StrCat(own)) continue;
    char target[PATH_MAX];
    ssize_t n = readlink(absl::StrCat("/proc/self/fd/", name).c_str(), target,
                         sizeof target);
    if (n < 0) continue;  // the listing's own descriptor, closed by now
    result.push_back(absl::StrCat(name, " -> ", std::string(target, n)));
  }
  return result;
}

int ThreadCount() {
  return static_cast<int>(Entries("/proc/self/task", nullptr).size());
}

std::vector<std::string> Children() {
  std::vector<std::string> result;
  for (const std::string& name : Entries("/proc", nullptr)) {
    if (name.find_first_not_of("0123456789") != std::string::npos) continue;
    std::string child = DescribeChild(name);
    if (!child.empty()) result.push_back(child);
  }
  return result;
}

LeakCheckedTest::LeakCheckedTest()
    : descriptors_(OpenDescriptors()),
      threads_(ThreadCount()),
      children_(Children()) {}

LeakCheckedTest::~LeakCheckedTest() {
  YieldUntil([&] { return ThreadCount() <= threads_; },
             std::chrono::seconds(2));
  EXPECT_THAT(OpenDescriptors(), ::testing::ElementsAreArray(descriptors_));
  EXPECT_EQ(ThreadCount(), threads_);
  EXPECT_THAT(Children(), ::testing::ElementsAreArray(children_));
}

}  // namespace troupe
