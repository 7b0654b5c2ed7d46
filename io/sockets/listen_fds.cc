#include "io/sockets/listen_fds.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <optional>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"

namespace troupe {
namespace {

constexpr int kFirst = 3;

using Value = std::optional<std::string>;

struct Variables {
  Value pid, pidfd_id, fds, names;
};

Value TakeVariable(const char* name) {
  const char* found = getenv(name);
  if (found == nullptr) return std::nullopt;
  Value value = found;
  unsetenv(name);
  return value;
}

template <class Number>
bool Parse(const std::string& text, Number* number) {
  return std::all_of(text.begin(), text.end(), absl::ascii_isdigit) &&
         absl::SimpleAtoi(text, number);
}

absl::Status Nonsense(absl::string_view name, absl::string_view what,
                      const Value& value) {
  return absl::InvalidArgumentError(absl::StrCat(
      name, " is not ", what, ": \"", absl::CEscape(value.value_or("")), "\""));
}

// The inode of this process's pidfd, which is never used again; nothing on
// kernels where all pidfds have the same (before Linux 6.9).
std::optional<uint64_t> OwnPidfdId() {
  constexpr auto kPidfs = 0x50494446;  // PID_FS_MAGIC of linux/magic.h
  const OwnedFd self(static_cast<int>(syscall(SYS_pidfd_open, getpid(), 0)));
  struct statfs system;
  struct stat file;
  if (!self.valid() || fstatfs(self.get(), &system) != 0 ||
      system.f_type != kPidfs || fstat(self.get(), &file) != 0) {
    return std::nullopt;
  }
  return file.st_ino;
}

absl::StatusOr<bool> IsForUs(const Variables& variables) {
  if (!variables.pid) return false;
  pid_t pid;
  if (!Parse(*variables.pid, &pid) || pid == 0) {
    return Nonsense("LISTEN_PID", "a process", variables.pid);
  }
  if (pid != getpid()) return false;
  if (!variables.pidfd_id) return true;
  uint64_t id;
  if (!Parse(*variables.pidfd_id, &id)) {
    return Nonsense("LISTEN_PIDFDID", "the number of a pidfd",
                    variables.pidfd_id);
  }
  return OwnPidfdId().value_or(id) == id;
}

absl::StatusOr<std::vector<std::string>> Names(const Value& value,
                                               size_t count) {
  if (!value) return std::vector<std::string>(count, "unknown");
  std::vector<std::string> names = absl::StrSplit(*value, ':');
  if (names.size() == count) return names;
  return Nonsense("LISTEN_FDNAMES", absl::StrCat("a list of ", count, " names"),
                  value);
}

absl::Status CheckOpen(int count) {
  for (int fd = kFirst; fd - kFirst < count; ++fd) {
    if (fcntl(fd, F_GETFD) >= 0) continue;
    return absl::InvalidArgumentError(absl::StrCat(
        "LISTEN_FDS says ", count, ", but descriptor ", fd, " is not open"));
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::vector<PassedFd>> TakeListenFds() {
  const Variables variables = {
      TakeVariable("LISTEN_PID"), TakeVariable("LISTEN_PIDFDID"),
      TakeVariable("LISTEN_FDS"), TakeVariable("LISTEN_FDNAMES")};
  std::vector<PassedFd> passed;
  auto for_us = IsForUs(variables);
  if (!for_us.ok()) return for_us.status();
  if (!*for_us || !variables.fds) return passed;
  int count;
  if (!Parse(*variables.fds, &count)) {
    return Nonsense("LISTEN_FDS", "a number of descriptors", variables.fds);
  }
  absl::Status open = CheckOpen(count);
  if (!open.ok()) return open;
  if (count == 0) return passed;
  auto names = Names(variables.names, count);
  if (!names.ok()) return names.status();
  for (int i = 0; i < count; ++i) {
    OwnedFd fd(kFirst + i);
    fcntl(fd.get(), F_SETFD, FD_CLOEXEC);
    passed.push_back({std::move(fd), std::move((*names)[i])});
  }
  return passed;
}

}  // namespace troupe
