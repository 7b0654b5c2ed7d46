// How the kernel treats a child beside others: its share of the processors,
// which ones, and how soon it is killed when memory runs out.
//
//   command.scheduling = {.nice = 10, .cpus = {0, 1}, .oom_score_adj = 500};
//
// Set while the child may still be root, so that a command with a uid can ask
// for what only root may: a lower nice value, a lower score.
#ifndef TROUPE_PROCESS_SCHEDULING_H_
#define TROUPE_PROCESS_SCHEDULING_H_

#include <optional>
#include <set>

#include "absl/status/status.h"

namespace troupe {

struct Scheduling {
  // -20 (most) to 19 (least): the child's value, not added to ours.
  std::optional<int> nice = std::nullopt;

  // The processors it may run on, by the kernel's numbers; empty: ours. The
  // kernel leaves out those that are not there, and refuses if none is left.
  std::set<int> cpus = {};

  // -1000 (never) to 1000 (first), see proc(5).
  std::optional<int> oom_score_adj = std::nullopt;

  friend bool operator==(const Scheduling&, const Scheduling&) = default;
};

// More processors than any kernel is built for.
constexpr int kMaxCpus = 8192;

absl::Status Validate(const Scheduling& scheduling);

}  // namespace troupe

#endif  // TROUPE_PROCESS_SCHEDULING_H_
