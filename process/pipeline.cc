#include "process/pipeline.h"

#include <csignal>
#include <string>

#include "absl/strings/cord.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"

namespace troupe {
namespace {

constexpr char kPayload[] = "troupe/pipeline_command";

absl::Status ValidateOne(const Command& command, bool first, bool last) {
  if (!first && command.stdin_from != Stdio()) {
    return absl::InvalidArgumentError(
        "its stdin is the pipe from the command before");
  }
  if (!last && command.stdout_to != Stdio()) {
    return absl::InvalidArgumentError(
        "its stdout is the pipe to the next command");
  }
  return Validate(command);
}

}  // namespace

absl::Status Validate(const Pipeline& pipeline) {
  const size_t count = pipeline.commands.size();
  if (count == 0) {
    return absl::InvalidArgumentError("the pipeline has no commands");
  }
  for (size_t i = 0; i < count; ++i) {
    absl::Status valid =
        ValidateOne(pipeline.commands[i], i == 0, i + 1 == count);
    if (!valid.ok()) return InCommand(i, count, valid);
  }
  return absl::OkStatus();
}

absl::Status InCommand(size_t command, size_t count, const absl::Status& why) {
  absl::Status status(why.code(), absl::StrCat("command ", command + 1, " of ",
                                               count, ": ", why.message()));
  why.ForEachPayload([&](absl::string_view name, const absl::Cord& content) {
    status.SetPayload(name, content);
  });
  status.SetPayload(kPayload, absl::Cord(absl::StrCat(command)));
  return status;
}

std::optional<size_t> FailedCommandOf(const absl::Status& status) {
  auto payload = status.GetPayload(kPayload);
  size_t command = 0;
  if (!payload.has_value() ||
      !absl::SimpleAtoi(std::string(*payload), &command)) {
    return std::nullopt;
  }
  return command;
}

std::optional<size_t> FirstFailed(const std::vector<ExitStatus>& statuses,
                                  BrokenPipe broken_pipe) {
  for (size_t i = 0; i < statuses.size(); ++i) {
    const bool excused = broken_pipe == BrokenPipe::kIsNoFailure &&
                         i + 1 < statuses.size() &&
                         statuses[i].signal() == SIGPIPE;
    if (!statuses[i].success() && !excused) return i;
  }
  return std::nullopt;
}

}  // namespace troupe
