#include "process/process_tree.h"

#include <signal.h>
#include <unistd.h>

#include <cerrno>

#include "absl/strings/str_cat.h"
#include "io/os_error.h"
#include "process/process_table.h"

namespace troupe {

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
  auto processes = ListProcesses();
  if (!processes.ok()) return processes.status();
  std::vector<pid_t> members;
  for (const ProcessEntry& entry : *processes) {
    if (entry.group == group && entry.pid != group && entry.IsAlive()) {
      members.push_back(entry.pid);
    }
  }
  return members;
}

}  // namespace troupe
