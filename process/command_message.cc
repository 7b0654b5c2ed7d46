#include "process/command_message.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

namespace troupe {
namespace {

absl::Status Refuse(absl::string_view what) {
  return absl::InvalidArgumentError(
      absl::StrCat(what, ": a descriptor cannot go to another node"));
}

absl::Status CheckStdio(const Stdio& stdio) {
  if (stdio.kind < Stdio::Kind::kInherit || stdio.kind > Stdio::Kind::kMerged ||
      stdio.file_mode < Stdio::FileMode::kRead ||
      stdio.file_mode > Stdio::FileMode::kAppend) {
    return absl::InvalidArgumentError("a stream of a kind that is not known");
  }
  return absl::OkStatus();
}

}  // namespace

void AddCommandMessage(caf::actor_system_config& config) {
  config.add_message_type<Command>("troupe::Command");
}

absl::Status CanLeaveNode(const Command& command) {
  const std::pair<const char*, const Stdio*> streams[] = {
      {"stdin", &command.stdin_from},
      {"stdout", &command.stdout_to},
      {"stderr", &command.stderr_to}};
  for (const auto& [name, stdio] : streams) {
    if (stdio->kind == Stdio::Kind::kDescriptor) return Refuse(name);
  }
  if (command.extra_fds.empty()) return absl::OkStatus();
  return Refuse(absl::StrCat("extra descriptor ",
                             command.extra_fds.front().child_number));
}

absl::Status CheckArrived(const Command& command) {
  absl::Status status;
  for (const Stdio* stdio :
       {&command.stdin_from, &command.stdout_to, &command.stderr_to}) {
    status.Update(CheckStdio(*stdio));
  }
  if (command.group < ProcessGroup::kInherit ||
      command.group > ProcessGroup::kNewSession) {
    status.Update(
        absl::InvalidArgumentError("a process group that is not known"));
  }
  for (const auto& [number, disposition] : command.signals.dispositions) {
    if (disposition != SignalDisposition::kDefault &&
        disposition != SignalDisposition::kIgnore) {
      status.Update(absl::InvalidArgumentError(
          absl::StrCat("a disposition that is not known for signal ", number)));
    }
  }
  return status;
}

}  // namespace troupe
