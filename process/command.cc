#include "process/command.h"

#include <csignal>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "io/os_error.h"

namespace troupe {
namespace {

absl::Status Invalid(absl::string_view text) {
  return absl::InvalidArgumentError(text);
}

bool HasNul(absl::string_view text) {
  return text.find('\0') != absl::string_view::npos;
}

absl::Status ValidateStrings(const Command& command) {
  if (command.argv.empty()) return Invalid("argv is empty");
  bool nul = HasNul(ProgramOf(command)) || HasNul(command.cwd.value_or("")) ||
             HasNul(command.cgroup.value_or(""));
  for (const std::string& argument : command.argv) nul |= HasNul(argument);
  for (const Stdio* stdio :
       {&command.stdin_from, &command.stdout_to, &command.stderr_to}) {
    nul |= HasNul(stdio->path);
  }
  return nul ? Invalid("embedded null byte") : absl::OkStatus();
}

absl::Status ValidateEnvironment(const Environment& environment) {
  auto illegal = [](absl::string_view name) {
    return name.empty() || name.find('=') != absl::string_view::npos;
  };
  for (const auto& [name, value] : environment.set) {
    if (HasNul(name) || HasNul(value)) return Invalid("embedded null byte");
    if (illegal(name)) return Invalid("illegal environment variable name");
    if (environment.unset.count(name)) {
      return Invalid(absl::StrCat("environment variable \"", name,
                                  "\" is both set and unset"));
    }
  }
  for (const std::string& name : environment.unset) {
    if (illegal(name)) return Invalid("illegal environment variable name");
  }
  return absl::OkStatus();
}

absl::Status ValidateStdio(const Stdio& stdio, absl::string_view name) {
  if (stdio.kind == Stdio::Kind::kMerged && name != "stderr") {
    return Invalid("STDOUT can only be used for stderr");
  }
  if (stdio.kind == Stdio::Kind::kDescriptor && stdio.descriptor() < 0) {
    return OsError(EBADF, name);
  }
  return absl::OkStatus();
}

absl::Status ValidateExtraFds(const std::vector<ExtraFd>& extra_fds) {
  std::set<int> numbers;
  for (const ExtraFd& extra : extra_fds) {
    std::string name = absl::StrCat("extra descriptor ", extra.child_number);
    if (extra.child_number < 3) {
      return Invalid(absl::StrCat(name, ": the number must be 3 or higher"));
    }
    if (!numbers.insert(extra.child_number).second) {
      return Invalid(absl::StrCat(name, " is given twice"));
    }
    if (extra.descriptor() < 0) return OsError(EBADF, name);
  }
  return absl::OkStatus();
}

absl::Status ValidateLimits(const Command& command) {
  std::set<int> resources;
  for (const ResourceLimit& limit : command.limits) {
    if (!resources.insert(limit.resource).second) {
      return Invalid(
          absl::StrCat("resource limit ", limit.resource, " is given twice"));
    }
    if (limit.soft > limit.hard) {
      return Invalid(absl::StrCat("resource limit ", limit.resource,
                                  ": soft limit above hard limit"));
    }
  }
  if (command.umask.value_or(0) > 0777) return Invalid("umask above 0777");
  return absl::OkStatus();
}

// The largest value means "leave it" to setresuid(2), so it cannot be asked
// for.
absl::Status ValidateIds(const Command& command) {
  if (command.uid == static_cast<uid_t>(-1)) {
    return Invalid("User ID cannot be negative, got -1");
  }
  std::vector<gid_t> groups = command.groups.value_or(std::vector<gid_t>());
  groups.push_back(command.gid.value_or(0));
  for (gid_t group : groups) {
    if (group == static_cast<gid_t>(-1)) {
      return Invalid("Group ID cannot be negative, got -1");
    }
  }
  return absl::OkStatus();
}

absl::Status ValidateGroup(const Command& command) {
  if (command.join_group.value_or(1) < 1) {
    return Invalid(
        absl::StrCat("no such process group: ", *command.join_group));
  }
  if (command.join_group.has_value() &&
      command.group != ProcessGroup::kInherit) {
    return Invalid("a child joins a group or makes one, not both");
  }
  return absl::OkStatus();
}

absl::Status ValidateSession(const Command& command) {
  if (command.controlling_terminal &&
      command.group != ProcessGroup::kNewSession) {
    return Invalid("a controlling terminal needs a new session");
  }
  int signal = command.parent_death_signal.value_or(SIGTERM);
  if (signal < 1 || signal > SIGRTMAX) {
    return Invalid(absl::StrCat("no such parent-death signal: ", signal));
  }
  return absl::OkStatus();
}

}  // namespace

Command Command::Shell(std::string text) {
  return {.argv = {"/bin/sh", "-c", std::move(text)}};
}

const std::string& ProgramOf(const Command& command) {
  return command.program.has_value() ? *command.program : command.argv.front();
}

void UseTerminal(Command* command, const TerminalSetup& terminal) {
  command->stdin_from = command->stdout_to = command->stderr_to = Stdio::Pty();
  command->group = ProcessGroup::kNewSession;
  command->controlling_terminal = true;
  command->terminal = terminal;
}

absl::Status Validate(const Command& command) {
  absl::Status status = ValidateStrings(command);
  status.Update(ValidateEnvironment(command.environment));
  status.Update(ValidateStdio(command.stdin_from, "stdin"));
  status.Update(ValidateStdio(command.stdout_to, "stdout"));
  status.Update(ValidateStdio(command.stderr_to, "stderr"));
  status.Update(ValidateExtraFds(command.extra_fds));
  status.Update(ValidateLimits(command));
  status.Update(ValidateIds(command));
  status.Update(ValidateGroup(command));
  status.Update(ValidateSession(command));
  status.Update(Validate(command.scheduling));
  status.Update(Validate(command.signals));
  return status;
}

}  // namespace troupe
