#include "tests/process/grown_tree.h"

#include <signal.h>

#include <algorithm>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "gtest/gtest.h"
#include "process/reap.h"
#include "tests/process/ran_child.h"
#include "tests/support/child_program.h"

namespace troupe {

GrownTree::GrownTree(const std::vector<std::string>& roles, Command command) {
  command.argv = roles;
  command.argv.insert(command.argv.begin(), ChildProgram("grow_tree"));
  command.stdout_to = Stdio::Pipe();
  auto child = Spawn(command);
  EXPECT_TRUE(child.ok()) << child.status();
  if (!child.ok()) return;
  leader_ = *std::move(child);
  for (size_t i = 0; i <= roles.size(); ++i) {
    std::string line;
    while (line.empty() || line.back() != '\n') {
      std::string byte = ReadBytes(leader_.stdout_pipe.get(), 1);
      if (byte.empty()) break;
      line += byte;
    }
    std::pair<std::string, std::string> fields =
        absl::StrSplit(absl::StripAsciiWhitespace(line), ' ');
    ProcessEntry entry;
    if (!absl::SimpleAtoi(fields.second, &entry.pid)) {
      ADD_FAILURE() << "not a line of grow_tree: " << line;
      return;
    }
    pids_[fields.first] = ReadProcess(entry.pid).value_or(entry);
  }
}

std::vector<pid_t> GrownTree::pids(
    const std::vector<std::string>& roles) const {
  std::vector<pid_t> result;
  for (const std::string& role : roles) result.push_back(pid(role));
  std::sort(result.begin(), result.end());
  return result;
}

void GrownTree::AwaitEnd() { ReadToEnd(leader_.stdout_pipe.get()); }

void GrownTree::Reap() {
  if (leader_.pid < 0) return;
  (void)AwaitExit(leader_.id());
  (void)troupe::Reap(leader_.id());
  leader_.pid = -1;
}

void GrownTree::End() {
  for (const auto& [role, entry] : pids_) (void)SignalSeen(entry, SIGKILL);
  pids_.clear();
  Reap();
}

}  // namespace troupe
