#include "process/scheduling.h"

#include "absl/strings/str_cat.h"

namespace troupe {

absl::Status Validate(const Scheduling& scheduling) {
  const int nice = scheduling.nice.value_or(0);
  if (nice < -20 || nice > 19) {
    return absl::InvalidArgumentError(
        absl::StrCat("nice value outside -20 to 19: ", nice));
  }
  const int score = scheduling.oom_score_adj.value_or(0);
  if (score < -1000 || score > 1000) {
    return absl::InvalidArgumentError(
        absl::StrCat("oom_score_adj outside -1000 to 1000: ", score));
  }
  for (int cpu : scheduling.cpus) {
    if (cpu < 0 || cpu >= kMaxCpus) {
      return absl::InvalidArgumentError(
          absl::StrCat("no such processor: ", cpu));
    }
  }
  return absl::OkStatus();
}

}  // namespace troupe
