#include "process/spawn_plan.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdint>

#include "absl/strings/str_cat.h"
#include "io/os_error.h"
#include "process/descriptor_limit.h"
#include "process/program_path.h"
#include "process/stdio_ends.h"

namespace troupe {
namespace {

std::vector<const char*> Pointers(const std::vector<std::string>& strings) {
  std::vector<const char*> result;
  result.reserve(strings.size() + 1);
  for (const std::string& string : strings) result.push_back(string.c_str());
  result.push_back(nullptr);
  return result;
}

}  // namespace

absl::StatusOr<std::unique_ptr<SpawnPlan>> SpawnPlan::Prepare(
    const Command& command, SpawnFlags* flags) {
  std::unique_ptr<SpawnPlan> plan(new SpawnPlan(command));
  // Files last: opening one may empty it.
  absl::Status status = plan->PrepareCgroup();
  if (status.ok()) status = plan->PreparePty();
  if (status.ok()) status = plan->PrepareDescriptors();
  if (!status.ok()) return status;
  plan->PrepareStrings();
  plan->PrepareScheduling();
  plan->PrepareLimits();
  plan->PrepareIds();
  plan->PrepareSignals();
  ChildSetup& setup = plan->setup_;
  setup.flags = flags;
  setup.group = command.group;
  setup.join_group = command.join_group.value_or(0);
  setup.parent_death_signal = command.parent_death_signal.value_or(0);
  setup.parent = getpid();
  return plan;
}

// One for all streams that want it. Ours is written as stdin and read as the
// first of the outputs, each by a descriptor of its own.
absl::Status SpawnPlan::PreparePty() {
  const Stdio* stdio[3] = {&command_.stdin_from, &command_.stdout_to,
                           &command_.stderr_to};
  if (command_.controlling_terminal) setup_.terminal = 0;
  bool has_reader = false;
  for (int number = 0; number < 3; ++number) {
    if (stdio[number]->kind != Stdio::Kind::kPty) continue;
    if (!pty_.ours.valid()) {
      auto pty = OpenPty(command_.terminal);
      if (!pty.ok()) return pty.status();
      pty_ = *std::move(pty);
      if (command_.controlling_terminal) setup_.terminal = number;
    }
    if (number > 0 && std::exchange(has_reader, true)) continue;
    pipes_[number] = OwnedFd(fcntl(pty_.ours.get(), F_DUPFD_CLOEXEC, 3));
    if (!pipes_[number].valid()) return OsError(errno, "fcntl");
  }
  return absl::OkStatus();
}

absl::Status SpawnPlan::PrepareCgroup() {
  if (!command_.cgroup.has_value()) return absl::OkStatus();
  const std::string path = absl::StrCat(*command_.cgroup, "/cgroup.procs");
  cgroup_ = OwnedFd(open(path.c_str(), O_WRONLY | O_CLOEXEC));
  if (!cgroup_.valid()) return OsError(errno, "open", path);
  setup_.cgroup = cgroup_.get();
  cgroup_folder_ = OwnedFd(
      open(command_.cgroup->c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  setup_.cgroup_folder = cgroup_folder_.get();
  return absl::OkStatus();
}

// Its source; -1 for nothing.
absl::StatusOr<int> SpawnPlan::PrepareStdio(const Stdio& stdio, int number) {
  if (stdio.kind == Stdio::Kind::kPty) return pty_.child.get();
  auto ends = OpenStdio(stdio, number);
  if (!ends.ok()) return ends.status();
  opened_.push_back(std::move(ends->opened));
  pipes_[number] = std::move(ends->parent);
  return ends->source;
}

absl::Status SpawnPlan::PrepareDescriptors() {
  const Stdio* stdio[3] = {&command_.stdin_from, &command_.stdout_to,
                           &command_.stderr_to};
  int sources[3];
  for (int number = 0; number < 3; ++number) {
    if (stdio[number]->kind == Stdio::Kind::kMerged) {
      sources[number] = sources[1];
    } else {
      auto source = PrepareStdio(*stdio[number], number);
      if (!source.ok()) return source.status();
      sources[number] = *source;
    }
    if (sources[number] >= 0) moves_.push_back({sources[number], number});
  }
  for (const ExtraFd& extra : command_.extra_fds) {
    int source = extra.descriptor();
    if (fcntl(source, F_GETFD) < 0) {
      return OsError(errno, "dup", absl::StrCat("fd ", source));
    }
    moves_.push_back({source, extra.child_number});
  }
  std::sort(moves_.begin(), moves_.end(),
            [](FdMove a, FdMove b) { return a.target < b.target; });
  setup_.moves = moves_.data();
  setup_.move_count = static_cast<int>(moves_.size());
  return absl::OkStatus();
}

void SpawnPlan::PrepareStrings() {
  setup_.envp = environ;
  if (!command_.environment.IsOurs() || environ == nullptr) {
    environment_ = ResolveEnvironment(command_.environment, environ);
    environment_pointers_ = Pointers(environment_);
    setup_.envp = environment_pointers_.data();
  }
  candidates_ =
      ProgramCandidates(ProgramOf(command_), FindVariable(setup_.envp, "PATH"));
  argv_pointers_ = Pointers(command_.argv);
  candidate_pointers_ = Pointers(candidates_);
  setup_.argv = argv_pointers_.data();
  setup_.candidates = candidate_pointers_.data();
  if (command_.cwd.has_value()) setup_.cwd = command_.cwd->c_str();
}

void SpawnPlan::PrepareScheduling() {
  const Scheduling& scheduling = command_.scheduling;
  if (scheduling.nice.has_value()) setup_.nice = &*scheduling.nice;
  if (!scheduling.cpus.empty()) {
    constexpr int kBits = 8 * sizeof(unsigned long);
    cpus_.resize(*scheduling.cpus.rbegin() / kBits + 1);
    for (int cpu : scheduling.cpus) cpus_[cpu / kBits] |= 1UL << cpu % kBits;
    setup_.cpus = cpus_.data();
    setup_.cpus_size = static_cast<long>(cpus_.size() * sizeof cpus_[0]);
  }
  if (scheduling.oom_score_adj.has_value()) {
    oom_score_ = absl::StrCat(*scheduling.oom_score_adj);
    setup_.oom_score = oom_score_.data();
    setup_.oom_score_size = static_cast<long>(oom_score_.size());
  }
}

void SpawnPlan::PrepareLimits() {
  bool own_descriptor_limit = false;
  for (const ResourceLimit& limit : command_.limits) {
    own_descriptor_limit |= limit.resource == RLIMIT_NOFILE;
    limits_.push_back({limit.resource, {limit.soft, limit.hard}});
  }
  auto original = OriginalDescriptorLimit();
  rlimit now;
  if (original.has_value() && !own_descriptor_limit &&
      getrlimit(RLIMIT_NOFILE, &now) == 0) {
    limits_.push_back(
        {RLIMIT_NOFILE, {std::min(*original, now.rlim_max), now.rlim_max}});
  }
  setup_.limits = limits_.data();
  setup_.limit_count = static_cast<int>(limits_.size());
}

void SpawnPlan::PrepareIds() {
  if (command_.umask.has_value()) {
    setup_.umask = static_cast<int>(*command_.umask);
  }
  if (command_.gid.has_value()) setup_.gid = *command_.gid;
  if (command_.uid.has_value()) setup_.uid = *command_.uid;
  if (!command_.groups.has_value()) return;
  groups_ = *command_.groups;
  setup_.groups = groups_.data();
  setup_.group_count = static_cast<int>(groups_.size());
}

void SpawnPlan::PrepareSignals() {
  const SignalSetup& signals = command_.signals;
  if (signals.ignored_to_default) {
    for (ChildSignal& signal : setup_.signals) signal = ChildSignal::kReset;
  }
  setup_.signals[SIGPIPE] = setup_.signals[SIGXFSZ] = ChildSignal::kReset;
  for (const auto& [number, disposition] : signals.dispositions) {
    setup_.signals[number] = disposition == SignalDisposition::kIgnore
                                 ? ChildSignal::kIgnore
                                 : ChildSignal::kReset;
  }
  for (int number : signals.blocked) {
    setup_.blocked |= uint64_t{1} << (number - 1);
  }
}

absl::Status SpawnPlan::Failure(int error_number) const {
  return OsError(error_number, SpawnStepName(setup_.step), Subject());
}

std::string SpawnPlan::Subject() const {
  switch (setup_.step) {
    case SpawnStep::kStart:
    case SpawnStep::kExec:
      return ProgramOf(command_);
    case SpawnStep::kCgroup:
      return absl::StrCat(command_.cgroup.value_or(""), "/cgroup.procs");
    case SpawnStep::kDescriptors:
      return absl::StrCat("fd ", setup_.detail);
    case SpawnStep::kGroup:
      return command_.join_group.has_value()
                 ? absl::StrCat("group ", *command_.join_group)
                 : "";
    case SpawnStep::kChdir:
      return command_.cwd.value_or("");
    case SpawnStep::kNice:
      return absl::StrCat("nice ", command_.scheduling.nice.value_or(0));
    case SpawnStep::kOomScore:
      return "/proc/self/oom_score_adj";
    case SpawnStep::kLimits:
      return absl::StrCat("resource ", setup_.detail);
    case SpawnStep::kUid:
      return absl::StrCat("uid ", command_.uid.value_or(0));
    case SpawnStep::kGid:
      return absl::StrCat("gid ", command_.gid.value_or(0));
    case SpawnStep::kDispositions:
      return absl::StrCat("signal ", setup_.detail);
    default:
      return "";
  }
}

}  // namespace troupe
