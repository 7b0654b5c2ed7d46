#include "process/stop_plan.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "signals/signal_name.h"

namespace troupe {
namespace {

// Whole seconds, or milliseconds with what is below them cut off.
std::string DurationText(std::chrono::nanoseconds duration) {
  auto millis =
      std::chrono::duration_cast<std::chrono::milliseconds>(duration).count();
  if (millis % 1000 == 0) return absl::StrCat(millis / 1000, "s");
  return absl::StrCat(millis, "ms");
}

bool Stops(int signal) {
  return signal == SIGSTOP || signal == SIGTSTP || signal == SIGTTIN ||
         signal == SIGTTOU;
}

}  // namespace

std::string StopPlan::ToString() const {
  if (rungs.empty()) return "no signal";
  std::vector<std::string> words;
  for (const StopRung& rung : rungs) {
    words.push_back(SignalName(rung.signal));
    if (rung.wait.has_value()) words.push_back(DurationText(*rung.wait));
  }
  return absl::StrJoin(words, " ");
}

absl::Status Validate(const StopPlan& plan) {
  for (size_t i = 0; i < plan.rungs.size(); ++i) {
    const StopRung& rung = plan.rungs[i];
    std::string name = SignalName(rung.signal);
    if (rung.signal < 1 || rung.signal > SIGRTMAX || Stops(rung.signal)) {
      return absl::InvalidArgumentError(
          absl::StrCat("stop plan: ", name, " ends no process"));
    }
    if (rung.wait.has_value() && rung.wait->count() < 0) {
      return absl::InvalidArgumentError(
          absl::StrCat("stop plan: negative wait after ", name));
    }
    if (!rung.wait.has_value() && i + 1 < plan.rungs.size()) {
      return absl::InvalidArgumentError(absl::StrCat(
          "stop plan: nothing can follow ", name, ", which has no time limit"));
    }
  }
  return absl::OkStatus();
}

}  // namespace troupe
