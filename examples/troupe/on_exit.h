// What `troupe up` does when one of its processes ends.
//
//   ParseOnExit("restart")        // OnExit::kRestart
//   OnExitName(OnExit::kRestart)  // "restart"
#ifndef TROUPE_EXAMPLES_TROUPE_ON_EXIT_H_
#define TROUPE_EXAMPLES_TROUPE_ON_EXIT_H_

#include <optional>

#include "absl/strings/string_view.h"

namespace troupe {

enum class OnExit {
  kStop,     // the processes need each other: stop the others, then end
  kRestart,  // it is meant to run for ever: start it again, with back-off
  kIgnore,   // it is a task: let the others run on
};

// Nothing for any other word than stop, restart and ignore.
std::optional<OnExit> ParseOnExit(absl::string_view word);

absl::string_view OnExitName(OnExit on_exit);

}  // namespace troupe

#endif  // TROUPE_EXAMPLES_TROUPE_ON_EXIT_H_
