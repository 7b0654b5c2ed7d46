#include "process/spawn_plan.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

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
  absl::Status status = plan->PrepareDescriptors();
  if (!status.ok()) return status;
  plan->PrepareStrings();
  plan->PrepareLimits();
  plan->PrepareIds();
  ChildSetup& setup = plan->setup_;
  setup.flags = flags;
  setup.group = command.group;
  setup.controlling_terminal = command.controlling_terminal;
  setup.parent_death_signal = command.parent_death_signal.value_or(0);
  setup.parent = getpid();
  setup.ignored_signals_to_default = command.ignored_signals_to_default;
  return plan;
}

absl::Status SpawnPlan::PrepareDescriptors() {
  const Stdio* stdio[3] = {&command_.stdin_from, &command_.stdout_to,
                           &command_.stderr_to};
  int sources[3];
  for (int number = 0; number < 3; ++number) {
    if (stdio[number]->kind == Stdio::Kind::kMerged) {
      sources[number] = sources[1];
    } else {
      auto ends = OpenStdio(*stdio[number], number);
      if (!ends.ok()) return ends.status();
      sources[number] = ends->source;
      opened_.push_back(std::move(ends->opened));
      pipes_[number] = std::move(ends->parent);
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
  environment_ = ResolveEnvironment(command_.environment, environ);
  candidates_ = ProgramCandidates(ProgramOf(command_),
                                  FindVariable(environment_, "PATH"));
  argv_pointers_ = Pointers(command_.argv);
  environment_pointers_ = Pointers(environment_);
  candidate_pointers_ = Pointers(candidates_);
  setup_.argv = argv_pointers_.data();
  setup_.envp = environment_pointers_.data();
  setup_.candidates = candidate_pointers_.data();
  if (command_.cwd.has_value()) setup_.cwd = command_.cwd->c_str();
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

absl::Status SpawnPlan::Failure(int error_number) const {
  SpawnStep step = setup_.step;
  int detail = setup_.detail;
  std::string path;
  if (step == SpawnStep::kStart || step == SpawnStep::kExec) {
    path = ProgramOf(command_);
  } else if (step == SpawnStep::kChdir) {
    path = command_.cwd.value_or("");
  } else if (step == SpawnStep::kDescriptors) {
    path = absl::StrCat("fd ", detail);
  } else if (step == SpawnStep::kLimits) {
    path = absl::StrCat("resource ", detail);
  }
  return OsError(error_number, SpawnStepName(step), path);
}

}  // namespace troupe
