#include "tests/process/ran_child.h"

#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_split.h"
#include "process/reap.h"

namespace troupe {

std::string ReadBytes(int fd, size_t count) {
  std::string result;
  char buffer[4096];
  while (result.size() < count) {
    ssize_t n =
        read(fd, buffer, std::min(sizeof buffer, count - result.size()));
    if (n > 0) {
      result.append(buffer, n);
    } else if (n < 0 && errno == EAGAIN) {
      pollfd waited = {fd, POLLIN, 0};
      poll(&waited, 1, -1);
    } else if (n == 0 || errno != EINTR) {
      break;
    }
  }
  return result;
}

std::string ReadToEnd(int fd) { return ReadBytes(fd, std::string::npos); }

ExitStatus EndOf(SpawnedChild* child) {
  child->stdin_pipe.Close();
  auto report = AwaitExit(child->id());
  (void)Reap(child->id());
  return report.ok() ? report->status : ExitStatus::Lost();
}

RanChild RunToEnd(const Command& command) {
  RanChild ran;
  auto child = Spawn(command);
  ran.spawned = child.status();
  if (!child.ok()) return ran;
  child->stdin_pipe.Close();
  if (child->stdout_pipe.valid()) ran.out = ReadToEnd(child->stdout_pipe.get());
  if (child->stderr_pipe.valid()) ran.err = ReadToEnd(child->stderr_pipe.get());
  ran.status = EndOf(&*child);
  return ran;
}

std::string OutputOf(Command command) {
  command.stdout_to = Stdio::Pipe();
  RanChild ran = RunToEnd(command);
  return ran.spawned.ok() ? ran.out : ran.spawned.ToString();
}

std::map<std::string, std::string> Facts(absl::string_view output) {
  std::map<std::string, std::string> facts;
  for (absl::string_view line : absl::StrSplit(output, '\n')) {
    std::pair<absl::string_view, absl::string_view> fact =
        absl::StrSplit(line, absl::MaxSplits(absl::ByAnyChar("=:"), 1));
    facts[std::string(fact.first)] =
        std::string(absl::StripAsciiWhitespace(fact.second));
  }
  return facts;
}

}  // namespace troupe
