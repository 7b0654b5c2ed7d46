#include "process/subreaper.h"

#include <dirent.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <fstream>
#include <memory>

#include "absl/strings/str_cat.h"
#include "io/os_error.h"

namespace troupe {

absl::Status SetSubreaper(bool on) {
  if (prctl(PR_SET_CHILD_SUBREAPER, on ? 1 : 0, 0, 0, 0) != 0) {
    return OsError(errno, "prctl(PR_SET_CHILD_SUBREAPER)");
  }
  return absl::OkStatus();
}

bool IsSubreaper() {
  int on = 0;
  return prctl(PR_GET_CHILD_SUBREAPER, &on, 0, 0, 0) == 0 && on != 0;
}

absl::StatusOr<std::vector<ProcessEntry>> OwnChildren(
    const std::function<bool(pid_t)>& skip) {
  std::vector<ProcessEntry> children;
  const pid_t us = getpid();
  std::unique_ptr<DIR, int (*)(DIR*)> threads(opendir("/proc/self/task"),
                                              closedir);
  if (threads == nullptr) return OsError(errno, "opendir", "/proc/self/task");
  bool listed = false;
  while (const dirent* thread = readdir(threads.get())) {
    if (thread->d_name[0] == '.') continue;
    std::ifstream in(
        absl::StrCat("/proc/self/task/", thread->d_name, "/children"));
    listed |= in.is_open();
    for (pid_t pid; in >> pid;) {
      if (skip(pid)) continue;
      auto entry = ReadProcess(pid);
      if (entry.has_value() && entry->parent == us) children.push_back(*entry);
    }
  }
  if (listed) return children;
  auto all = ListProcesses();
  if (!all.ok()) return all.status();
  for (const ProcessEntry& entry : *all) {
    if (entry.parent == us && !skip(entry.pid)) children.push_back(entry);
  }
  return children;
}

bool AnyChildEnded() {
  siginfo_t info = {};
  return waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) == 0 &&
         info.si_pid != 0;
}

}  // namespace troupe
