#include "process/guard.h"

#include <poll.h>
#include <signal.h>
#include <time.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstring>
#include <iterator>
#include <set>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "io/os_error.h"
#include "io/thread_mask.h"
#include "process/cgroup.h"
#include "process/process_table.h"
#include "process/process_tree.h"
#include "process/reap.h"

namespace troupe {
namespace {

constexpr char kArgument[] = "--troupe-guard";

// Who forks faster than he can be found is left after so many looks.
constexpr int kMostLooks = 1000;

// In the unit of ProcessEntry::start.
uint64_t TicksSinceBoot() {
  timespec now;
  clock_gettime(CLOCK_BOOTTIME, &now);
  const uint64_t per_second = sysconf(_SC_CLK_TCK);
  return now.tv_sec * per_second + now.tv_nsec * per_second / 1'000'000'000;
}

// What the pipe has told: `+12`, `-12`, `c/folder`, `q`.
struct Charge {
  std::multiset<pid_t> groups;
  std::set<std::string> cgroups;
  bool over = false;  // there is nothing to end

  void Apply(const std::string& line) {
    pid_t group = 0;
    if (line.empty()) return;
    if (line[0] == 'q') over = true;
    if (line[0] == 'c') cgroups.insert(line.substr(1));
    if (!absl::SimpleAtoi(line.substr(1), &group) || group <= 1) return;
    if (line[0] == '+') groups.insert(group);
    if (line[0] == '-' && groups.count(group) != 0) {
      groups.erase(groups.find(group));
    }
  }
};

Charge ReadCharge(int input) {
  Charge charge;
  std::string line;
  char buffer[4096];
  for (;;) {
    ssize_t n = read(input, buffer, sizeof buffer);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return charge;
    for (char c : std::string(buffer, n)) {
      if (c != '\n') {
        line += c;
        continue;
      }
      charge.Apply(line);
      line.clear();
    }
  }
}

// True when it is empty. The signal to the number is one call that no fork
// escapes; it needs the leader, which nobody but the number's first owner can
// be here.
bool KillGroup(pid_t group, const std::vector<ProcessEntry>& table,
               uint64_t end) {
  bool any = false, leader = false;
  for (const ProcessEntry& entry : table) {
    if (entry.group != group || entry.start > end) continue;
    leader |= entry.pid == group;
    any |= entry.IsAlive();
  }
  if (!any) return true;
  if (leader) (void)SignalGroup(group, SIGKILL);
  for (const ProcessEntry& entry : table) {
    if (!leader && entry.group == group && entry.start <= end &&
        entry.IsAlive()) {
      (void)SignalSeen(entry, SIGKILL);
    }
  }
  return false;
}

void EndAll(const Charge& charge) {
  const uint64_t end = TicksSinceBoot();
  for (const std::string& folder : charge.cgroups) (void)KillCgroup(folder);
  std::set<pid_t> left(charge.groups.begin(), charge.groups.end());
  for (int look = 0; !left.empty() && look < kMostLooks; ++look) {
    if (look > 0) poll(nullptr, 0, 1);  // the dying need a moment
    auto table = ListProcesses();
    if (!table.ok()) return;
    for (auto group = left.begin(); group != left.end();) {
      group =
          KillGroup(*group, *table, end) ? left.erase(group) : std::next(group);
    }
  }
  for (const std::string& folder : charge.cgroups) {
    for (int look = 0; look < kMostLooks; ++look) {
      if (!absl::IsFailedPrecondition(RemoveCgroup(folder))) break;
      poll(nullptr, 0, 1);
    }
  }
}

absl::Status Told(int error) {
  if (error == 0) return absl::OkStatus();
  return absl::UnavailableError(
      OsError(error, "write", "guard's pipe").message());
}

}  // namespace

absl::StatusOr<std::shared_ptr<Guard>> Guard::Start(Command command) {
  command.stdin_from = Stdio::Pipe();
  command.stdout_to = Stdio::Null();
  command.stderr_to = Stdio::Null();
  command.group = ProcessGroup::kNewSession;
  command.cwd = "/";
  auto child = Spawn(command);
  if (!child.ok()) return child.status();
  return std::shared_ptr<Guard>(new Guard(*std::move(child)));
}

Guard::~Guard() {
  unsent_.push_back("q\n");
  while (Flush() == EAGAIN) {
    pollfd pipe = {child_.stdin_pipe.get(), POLLOUT, 0};
    poll(&pipe, 1, -1);
  }
  child_.stdin_pipe.Close();
  (void)AwaitExit(child_.id());
  (void)Reap(child_.id());
}

absl::Status Guard::Add(pid_t group) {
  return Tell(absl::StrCat("+", group, "\n"));
}
// Or the number would be killed that may be a stranger's by then.
absl::Status Guard::Remove(pid_t group) {
  std::lock_guard<std::mutex> lock(mutex_);
  unsent_.push_back(absl::StrCat("-", group, "\n"));
  const int error = Flush();
  if (error == EAGAIN) return absl::OkStatus();
  unsent_.clear();  // told, or never to be
  return Told(error);
}
absl::Status Guard::AddCgroup(const std::string& folder) {
  return Tell(absl::StrCat("c", folder, "\n"));
}

absl::Status Guard::Tell(const std::string& line) {
  std::lock_guard<std::mutex> lock(mutex_);
  int error = Flush();
  if (error == 0) error = Write(line);
  return Told(error);
}

int Guard::Flush() {
  while (!unsent_.empty()) {
    if (int error = Write(unsent_.front()); error != 0) return error;
    unsent_.pop_front();
  }
  return 0;
}

// At most PIPE_BUF bytes: whole or not at all. SIGPIPE cannot come while the
// guard lives.
int Guard::Write(const std::string& line) {
  ScopedSigpipeBlock mask;
  return write(child_.stdin_pipe.get(), line.data(), line.size()) < 0 ? errno
                                                                      : 0;
}

Command GuardCommand() {
  Command command;
  command.argv = {"troupe-guard", kArgument};
  command.program = "/proc/self/exe";
  return command;
}

bool IsGuard(int argc, char** argv) {
  return argc == 2 && strcmp(argv[1], kArgument) == 0;
}

int RunGuard(int input) {
  sigset_t all;
  sigfillset(&all);
  sigprocmask(SIG_BLOCK, &all, nullptr);
  const Charge charge = ReadCharge(input);
  if (!charge.over) EndAll(charge);
  return 0;
}

}  // namespace troupe
