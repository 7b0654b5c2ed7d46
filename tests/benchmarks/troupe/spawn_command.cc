#include "tests/benchmarks/troupe/spawn_command.h"

#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

#include "absl/strings/str_split.h"

namespace troupe {

Command SpawnCommand(const std::string& program, const SpawnOptions& options) {
  Command command;
  command.argv = {program};
  if (options.place) {
    command.cwd = std::string(kPlaceFolder);
    command.environment.inherit = false;
    for (const char* variable : kPlaceEnvironment) {
      command.environment.set.insert(absl::StrSplit(variable, '='));
    }
  }
  if (options.session) command.group = ProcessGroup::kNewSession;
  if (options.limits) {
    command.umask = 077;
    command.scheduling.nice = 1;
    command.limits = {{RLIMIT_CORE, 0, 0},
                      {RLIMIT_NOFILE, 100, 100},
                      {RLIMIT_FSIZE, 1 << 20, 1 << 20}};
    command.parent_death_signal = SIGKILL;
  }
  if (options.ids) {
    const bool root = getuid() == 0;
    command.uid = command.gid = root ? kNobody : getuid();
    if (root) command.groups.emplace();
  }
  return command;
}

}  // namespace troupe
