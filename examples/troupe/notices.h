// What troupe itself says about its processes: one sentence each, without a
// prefix and without a line feed.
//
//   StartedNotice("web", 4711)              // web started, pid 4711
//   EndedNotice("job", "exit code 3", 2.1s)
//       // job ended after 2.1s: exit code 3
//   RestartNotice("job", 1, 500ms)
//       // job restarts in 500ms (restart 1)
#ifndef TROUPE_EXAMPLES_TROUPE_NOTICES_H_
#define TROUPE_EXAMPLES_TROUPE_NOTICES_H_

#include <sys/types.h>

#include <string>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace troupe {

// `restart` counts the restarts of this process so far; 0 is the first start.
std::string StartedNotice(absl::string_view name, pid_t pid, int restart = 0);

// `how` names the code or the signal.
std::string EndedNotice(absl::string_view name, absl::string_view how,
                        absl::Duration ran);

std::string NotStartedNotice(absl::string_view name, absl::string_view why);

std::string RestartNotice(absl::string_view name, int restart,
                          absl::Duration in);

// The group is asked to end: stopping 3 processes, because job ended.
std::string StoppingNotice(int processes, absl::string_view because);

// stopping 3 processes, because of SIGINT; once more kills them
std::string StoppingOnSignalNotice(int processes, absl::string_view signal);

std::string KillingNotice(int processes, absl::string_view because);

}  // namespace troupe

#endif  // TROUPE_EXAMPLES_TROUPE_NOTICES_H_
