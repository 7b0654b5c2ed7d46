#include "process/process_info.h"

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "process/child_stdio.h"

namespace troupe {
namespace {

std::string Where(const Stdio& stdio) {
  if (stdio.kind == Stdio::Kind::kPipe) return "<pipe>";
  if (stdio.kind == Stdio::Kind::kNull) return "<null>";
  if (stdio.kind == Stdio::Kind::kFile) {
    return absl::StrCat("\"", absl::CEscape(stdio.path), "\"");
  }
  if (stdio.kind == Stdio::Kind::kDescriptor) {
    return absl::StrCat(stdio.descriptor());
  }
  return "<other>";
}

void AppendStream(absl::string_view name,
                  const std::optional<TransportInfo>& stream,
                  std::string* text) {
  if (!stream.has_value()) return;
  absl::StrAppend(text, " ", name, "=", ToString(*stream));
}

void AppendStdio(absl::string_view name, const Stdio& stdio,
                 std::string* text) {
  if (stdio.kind == Stdio::Kind::kInherit) return;
  absl::StrAppend(text, " ", name, "=", Where(stdio));
}

}  // namespace

std::string ToString(const ProcessInfo& info) {
  std::string text = "<Subprocess";
  if (info.phase == ProcessInfo::Phase::kNotStarted) {
    return absl::StrCat(text, " not started>");
  }
  if (info.ended) absl::StrAppend(&text, " closed");
  absl::StrAppend(&text, " pid=", info.pid);
  if (info.phase == ProcessInfo::Phase::kRunning) {
    absl::StrAppend(&text, " running");
  } else {
    absl::StrAppend(&text, " returncode=", info.status.ReturnCode());
  }
  if (!info.ended) {
    AppendStream("stdin", info.in, &text);
    AppendStream(info.merged ? "stdout=stderr" : "stdout", info.out, &text);
    AppendStream("stderr", info.err, &text);
  }
  return absl::StrCat(text, ">");
}

std::string ExecuteText(const Command& command) {
  std::string text = absl::StrCat("execute program \"",
                                  absl::CEscape(ProgramOf(command)), "\"");
  const bool merged = command.stderr_to.kind == Stdio::Kind::kMerged;
  AppendStdio("stdin", command.stdin_from, &text);
  AppendStdio(merged ? "stdout=stderr" : "stdout", command.stdout_to, &text);
  if (!merged) AppendStdio("stderr", command.stderr_to, &text);
  return text;
}

}  // namespace troupe
