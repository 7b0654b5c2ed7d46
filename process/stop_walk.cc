#include "process/stop_walk.h"

#include <algorithm>
#include <utility>

namespace troupe {

StopWalk::StopWalk(StopPlan plan) : plan_(std::move(plan)) {}

std::vector<int> StopWalk::Start(TimePoint now) {
  return started() ? std::vector<int>() : TakeRung(0, now);
}

std::vector<int> StopWalk::Advance(TimePoint now) {
  if (!deadline_.has_value() || now < *deadline_) return {};
  if (next_ == plan_.rungs.size()) {
    gave_up_ = true;
    deadline_.reset();
    return {};
  }
  return TakeRung(next_, now);
}

std::vector<int> StopWalk::Hurry(TimePoint now) {
  if (plan_.rungs.empty()) return {};
  return TakeRung(std::min(next_, plan_.rungs.size() - 1), now);
}

std::vector<int> StopWalk::TakeRung(size_t index, TimePoint now) {
  if (index >= plan_.rungs.size()) return {};
  const StopRung& rung = plan_.rungs[index];
  next_ = index + 1;
  deadline_.reset();
  gave_up_ = false;
  if (rung.wait.has_value()) {
    deadline_ =
        now + std::chrono::duration_cast<TimePoint::duration>(*rung.wait);
  }
  return {rung.signal, SIGCONT};
}

}  // namespace troupe
