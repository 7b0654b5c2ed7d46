#include "process/process_tree.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <memory>
#include <string>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "io/os_error.h"
#include "io/owned_fd.h"

namespace troupe {
namespace {

// Empty when the process is gone.
std::string ReadStat(pid_t pid) {
  OwnedFd fd(
      open(absl::StrCat("/proc/", pid, "/stat").c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd.valid()) return "";
  char buffer[1024];
  ssize_t n = read(fd.get(), buffer, sizeof buffer);
  return n > 0 ? std::string(buffer, n) : "";
}

// After the name, which may contain anything, come state, parent and group
// (proc(5)).
bool LivesIn(pid_t group, absl::string_view stat) {
  size_t name_end = stat.rfind(')');
  if (name_end == absl::string_view::npos) return false;
  std::vector<absl::string_view> fields =
      absl::StrSplit(stat.substr(name_end + 1), ' ', absl::SkipEmpty());
  int number = 0;
  return fields.size() > 2 && fields[0] != "Z" && fields[0] != "X" &&
         absl::SimpleAtoi(fields[2], &number) && number == group;
}

}  // namespace

absl::Status SignalGroup(pid_t group, int signal_number) {
  if (group <= 1 || group == getpgrp()) {
    return absl::InvalidArgumentError(
        absl::StrCat("not a child's process group: ", group));
  }
  if (kill(-group, signal_number) != 0) {
    return OsError(errno, "kill", absl::StrCat(-group));
  }
  return absl::OkStatus();
}

absl::StatusOr<std::vector<pid_t>> GroupMembers(pid_t group) {
  std::unique_ptr<DIR, int (*)(DIR*)> proc(opendir("/proc"), closedir);
  if (proc == nullptr) return OsError(errno, "opendir", "/proc");
  std::vector<pid_t> members;
  while (const dirent* entry = readdir(proc.get())) {
    pid_t pid = 0;
    if (!absl::SimpleAtoi(entry->d_name, &pid) || pid == group) continue;
    if (LivesIn(group, ReadStat(pid))) members.push_back(pid);
  }
  std::sort(members.begin(), members.end());
  return members;
}

}  // namespace troupe
