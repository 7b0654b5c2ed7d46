#include "process/process_table.h"

#include <dirent.h>
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <memory>
#include <string>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "io/os_error.h"
#include "io/owned_fd.h"
#include "process/open_pidfd.h"
#include "process/reap.h"

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

// After the name, which may contain anything, come state, parent, group and
// session; the start is the 22nd of all fields.
std::optional<ProcessEntry> Parse(pid_t pid, absl::string_view stat) {
  size_t name_end = stat.rfind(')');
  if (name_end == absl::string_view::npos) return std::nullopt;
  std::vector<absl::string_view> fields =
      absl::StrSplit(stat.substr(name_end + 1), ' ', absl::SkipEmpty());
  ProcessEntry entry;
  entry.pid = pid;
  if (fields.size() < 20 || !absl::SimpleAtoi(fields[1], &entry.parent) ||
      !absl::SimpleAtoi(fields[2], &entry.group) ||
      !absl::SimpleAtoi(fields[3], &entry.session) ||
      !absl::SimpleAtoi(fields[19], &entry.start)) {
    return std::nullopt;
  }
  entry.state = fields[0].front();
  return entry;
}

}  // namespace

std::optional<ProcessEntry> ReadProcess(pid_t pid) {
  return Parse(pid, ReadStat(pid));
}

absl::StatusOr<std::vector<ProcessEntry>> ListProcesses() {
  std::unique_ptr<DIR, int (*)(DIR*)> proc(opendir("/proc"), closedir);
  if (proc == nullptr) return OsError(errno, "opendir", "/proc");
  std::vector<ProcessEntry> entries;
  while (const dirent* name = readdir(proc.get())) {
    pid_t pid = 0;
    if (!absl::SimpleAtoi(name->d_name, &pid)) continue;
    auto entry = ReadProcess(pid);
    if (entry.has_value()) entries.push_back(*entry);
  }
  std::sort(entries.begin(), entries.end(),
            [](const ProcessEntry& a, const ProcessEntry& b) {
              return a.pid < b.pid;
            });
  return entries;
}

// Who is read behind the pidfd has the number now; if the signal then finds
// somebody, the number was not given again in between.
absl::Status SignalSeen(const ProcessEntry& seen, int signal_number) {
  auto pidfd = OpenPidfd(seen.pid);
  if (!pidfd.ok()) return pidfd.status();
  if (!seen.IsSameAs(ReadProcess(seen.pid))) {
    return OsError(ESRCH, "pidfd_open", absl::StrCat(seen.pid));
  }
  return SignalProcess(pidfd->get(), signal_number);
}

}  // namespace troupe
