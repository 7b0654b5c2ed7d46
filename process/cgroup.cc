#include "process/cgroup.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "io/os_error.h"
#include "io/owned_fd.h"

namespace troupe {
namespace {

// Folders are numbered within the program.
std::atomic<int> next_number{1};

absl::StatusOr<std::string> ReadFile(const std::string& path) {
  OwnedFd fd(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd.valid()) return OsError(errno, "open", path);
  std::string text;
  char buffer[4096];
  for (;;) {
    ssize_t n = read(fd.get(), buffer, sizeof buffer);
    if (n < 0) return OsError(errno, "read", path);
    if (n == 0) return text;
    text.append(buffer, n);
  }
}

std::vector<std::string> FoldersIn(const std::string& folder) {
  std::vector<std::string> found;
  std::unique_ptr<DIR, int (*)(DIR*)> entries(opendir(folder.c_str()),
                                              closedir);
  if (entries == nullptr) return found;
  while (const dirent* entry = readdir(entries.get())) {
    if (entry->d_type != DT_DIR || entry->d_name[0] == '.') continue;
    found.push_back(absl::StrCat(folder, "/", entry->d_name));
  }
  return found;
}

absl::Status AddMembers(const std::string& folder, std::vector<pid_t>* pids) {
  auto text = ReadFile(absl::StrCat(folder, "/cgroup.procs"));
  if (!text.ok()) return text.status();
  for (absl::string_view line : absl::StrSplit(*text, '\n')) {
    pid_t pid = 0;
    if (absl::SimpleAtoi(line, &pid)) pids->push_back(pid);
  }
  // One that is gone by now has no members.
  for (const std::string& below : FoldersIn(folder)) {
    (void)AddMembers(below, pids);
  }
  return absl::OkStatus();
}

absl::Status WriteTo(const std::string& folder, absl::string_view file,
                     const std::string& text) {
  const std::string path = absl::StrCat(folder, "/", file);
  OwnedFd fd(open(path.c_str(), O_WRONLY | O_CLOEXEC));
  if (!fd.valid()) return OsError(errno, "open", path);
  if (write(fd.get(), text.data(), text.size()) < 0) {
    return OsError(errno, "write", path);
  }
  return absl::OkStatus();
}

absl::Status NotDelegated(const absl::Status& why) {
  return absl::FailedPreconditionError(
      absl::StrCat("no cgroup is delegated to us: ", why.message()));
}

}  // namespace

// A line of mountinfo (proc(5)): the 4th field is the file system's folder that
// was mounted, the 5th where; the type follows a dash.
absl::StatusOr<std::string> OwnCgroupOf(absl::string_view mounts,
                                        absl::string_view cgroups) {
  std::string ours;
  for (absl::string_view line : absl::StrSplit(cgroups, '\n')) {
    if (absl::StartsWith(line, "0::")) ours = std::string(line.substr(3));
  }
  bool mounted = false;
  for (absl::string_view line : absl::StrSplit(mounts, '\n')) {
    if (!absl::StrContains(line, " - cgroup2 ")) continue;
    std::vector<absl::string_view> fields = absl::StrSplit(line, ' ');
    if (fields.size() < 5 || ours.empty()) continue;
    mounted = true;
    absl::string_view root = fields[3] == "/" ? "" : fields[3];
    absl::string_view path = ours;
    if (!absl::StartsWith(path, root) || absl::StartsWith(path, "/.."))
      continue;
    path.remove_prefix(root.size());
    if (!path.empty() && path.front() != '/') continue;
    return absl::StrCat(fields[4], path == "/" ? "" : path);
  }
  if (!mounted) return absl::UnimplementedError("cgroup v2 is not mounted");
  return absl::FailedPreconditionError(
      absl::StrCat("our cgroup ", ours, " is outside of what is mounted here"));
}

absl::StatusOr<std::string> OwnCgroup() {
  auto mounts = ReadFile("/proc/self/mountinfo");
  if (!mounts.ok()) return mounts.status();
  auto cgroups = ReadFile("/proc/self/cgroup");
  if (!cgroups.ok()) return cgroups.status();
  return OwnCgroupOf(*mounts, *cgroups);
}

absl::StatusOr<std::shared_ptr<Cgroup>> Cgroup::Make() {
  auto own = OwnCgroup();
  if (!own.ok()) return own.status();
  return MakeBelow(*own);
}

absl::StatusOr<std::shared_ptr<Cgroup>> Cgroup::MakeBelow(
    const std::string& parent) {
  std::string folder;
  do {  // one of a program with our pid may be left
    folder = absl::StrCat(parent, "/troupe-", getpid(), "-", next_number++);
    if (mkdir(folder.c_str(), 0755) == 0) {
      std::shared_ptr<Cgroup> cgroup(new Cgroup(folder));
      // A folder elsewhere is no cgroup.
      auto members = cgroup->Members();
      if (!members.ok()) return NotDelegated(members.status());
      return cgroup;
    }
  } while (errno == EEXIST);
  return NotDelegated(OsError(errno, "mkdir", folder));
}

Cgroup::~Cgroup() { (void)Remove(); }

absl::StatusOr<std::vector<pid_t>> Cgroup::Members() const {
  std::vector<pid_t> pids;
  absl::Status read = AddMembers(folder_, &pids);
  if (!read.ok()) return read;
  std::sort(pids.begin(), pids.end());
  return pids;
}

// cgroup.events: a line `name 0` or `name 1` for each.
absl::StatusOr<bool> Cgroup::Event(absl::string_view name) const {
  auto text = ReadFile(absl::StrCat(folder_, "/cgroup.events"));
  if (!text.ok()) return text.status();
  return absl::StrContains(absl::StrCat("\n", *text),
                           absl::StrCat("\n", name, " 1\n"));
}

absl::StatusOr<bool> Cgroup::IsPopulated() const { return Event("populated"); }
absl::StatusOr<bool> Cgroup::IsFrozen() const { return Event("frozen"); }

absl::Status KillCgroup(const std::string& folder) {
  return WriteTo(folder, "cgroup.kill", "1");
}

absl::Status RemoveCgroup(const std::string& folder) {
  for (const std::string& below : FoldersIn(folder)) {
    absl::Status removed = RemoveCgroup(below);
    if (!removed.ok()) return removed;
  }
  if (rmdir(folder.c_str()) == 0) return absl::OkStatus();
  absl::Status why = OsError(errno, "rmdir", folder);
  return errno == EBUSY ? absl::FailedPreconditionError(why.message()) : why;
}

absl::Status Cgroup::Kill() const { return KillCgroup(folder_); }

absl::Status Cgroup::Freeze(bool frozen) const {
  return WriteTo(folder_, "cgroup.freeze", frozen ? "1" : "0");
}

absl::Status Cgroup::Add(pid_t pid) const {
  return WriteTo(folder_, "cgroup.procs", absl::StrCat(pid));
}

absl::Status Cgroup::Remove() { return RemoveCgroup(folder_); }

}  // namespace troupe
