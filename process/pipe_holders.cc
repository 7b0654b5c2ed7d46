#include "process/pipe_holders.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <fstream>
#include <functional>
#include <memory>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "io/os_error.h"

namespace troupe {
namespace {

// False when the folder cannot be read, with errno.
bool ForEachNumber(const std::string& folder,
                   const std::function<void(int)>& use) {
  std::unique_ptr<DIR, int (*)(DIR*)> entries(opendir(folder.c_str()),
                                              closedir);
  if (entries == nullptr) return false;
  while (const dirent* entry = readdir(entries.get())) {
    int number = 0;
    if (absl::SimpleAtoi(entry->d_name, &number)) use(number);
  }
  return true;
}

// "pipe:[123]"
std::string ReadLink(const std::string& path) {
  char target[64];
  ssize_t size = readlink(path.c_str(), target, sizeof target);
  return std::string(target, std::max<ssize_t>(size, 0));
}

// The access mode stands in the octal `flags:` of fdinfo.
bool IsWritable(pid_t pid, int fd) {
  std::ifstream info(absl::StrCat("/proc/", pid, "/fdinfo/", fd));
  std::string name;
  int flags = 0;
  while (info >> name) {
    if (name != "flags:") continue;
    info >> std::oct >> flags;
    return (flags & O_ACCMODE) != O_RDONLY;
  }
  return false;
}

std::string ProgramName(pid_t pid) {
  std::ifstream comm(absl::StrCat("/proc/", pid, "/comm"));
  std::string name;
  std::getline(comm, name);
  return name;
}

void AddPipesOf(pid_t pid, const std::vector<std::string>& wanted,
                std::vector<PipeHolder>& holders) {
  std::vector<bool> found(wanted.size());
  const std::string folder = absl::StrCat("/proc/", pid, "/fd");
  // A process that is gone, or not ours to look into, has none.
  ForEachNumber(folder, [&](int fd) {
    const std::string target = ReadLink(absl::StrCat(folder, "/", fd));
    if (!absl::StartsWith(target, "pipe:")) return;
    for (size_t i = 0; i < wanted.size(); ++i) {
      if (!found[i] && target == wanted[i] && IsWritable(pid, fd)) {
        found[i] = true;
      }
    }
  });
  for (size_t i = 0; i < wanted.size(); ++i) {
    if (found[i]) holders.push_back({pid, i, ProgramName(pid)});
  }
}

}  // namespace

std::optional<PipeId> PipeIdOf(int fd) {
  struct stat info;
  if (fstat(fd, &info) != 0 || !S_ISFIFO(info.st_mode)) return std::nullopt;
  return info.st_ino;
}

absl::StatusOr<std::vector<PipeHolder>> PipeHolders(
    const std::vector<PipeId>& pipes) {
  std::vector<std::string> wanted;
  for (PipeId pipe : pipes) wanted.push_back(absl::StrCat("pipe:[", pipe, "]"));
  std::vector<PipeHolder> holders;
  auto look = [&](int pid) { AddPipesOf(pid, wanted, holders); };
  if (!ForEachNumber("/proc", look)) return OsError(errno, "opendir", "/proc");
  std::stable_sort(
      holders.begin(), holders.end(),
      [](const PipeHolder& a, const PipeHolder& b) { return a.pid < b.pid; });
  return holders;
}

}  // namespace troupe
