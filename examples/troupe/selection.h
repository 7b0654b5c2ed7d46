// Which processes of a Procfile run, and how many of each.
//
//   // web and worker in the Procfile; `up -m worker=2`
//   SelectProcesses(entries, {}, {{"worker", 2}})
//   // web, worker.1, worker.2
//
// The order is the Procfile's. A process that runs once keeps its bare name.
#ifndef TROUPE_EXAMPLES_TROUPE_SELECTION_H_
#define TROUPE_EXAMPLES_TROUPE_SELECTION_H_

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "examples/troupe/procfile.h"

namespace troupe {

struct NamedProcess {
  std::string name;  // unique: "web", "worker.2"
  std::string command;
  std::optional<OnExit> on_exit;  // as in the ProcfileEntry

  friend bool operator==(const NamedProcess&, const NamedProcess&) = default;
};

// An empty `only` means all; a name without a count runs once, a count of 0
// leaves it out. kInvalidArgument, with a text for the user: a name that is not
// in the Procfile, a count for one that `only` leaves out, nothing left to run.
absl::StatusOr<std::vector<NamedProcess>> SelectProcesses(
    const std::vector<ProcfileEntry>& entries,
    const std::vector<std::string>& only,
    const std::map<std::string, int>& counts);

}  // namespace troupe

#endif  // TROUPE_EXAMPLES_TROUPE_SELECTION_H_
