#include "process/unknown_exits.h"

#include <algorithm>
#include <utility>

namespace troupe {

void UnknownExits::Add(const ReapedChild& child) {
  (void)Take(child.pid);
  exits_.push_back({child});
  if (exits_.size() > limit_) exits_.pop_front();
}

std::optional<ExitReport> UnknownExits::Take(pid_t pid) {
  auto found =
      std::find_if(exits_.begin(), exits_.end(),
                   [pid](const Exit& exit) { return exit.child.pid == pid; });
  if (found == exits_.end()) return std::nullopt;
  ExitReport report = found->child.report;
  exits_.erase(found);
  return report;
}

std::vector<ReapedChild> UnknownExits::Mature() {
  std::vector<ReapedChild> mature;
  for (Exit& exit : exits_) {
    if (exit.age == Age::kSeen) mature.push_back(exit.child);
    exit.age = exit.age == Age::kNew ? Age::kSeen : Age::kNamed;
  }
  return mature;
}

std::vector<ReapedChild> UnknownExits::Unnamed() {
  std::vector<ReapedChild> unnamed;
  for (Exit& exit : exits_) {
    if (std::exchange(exit.age, Age::kNamed) != Age::kNamed) {
      unnamed.push_back(exit.child);
    }
  }
  return unnamed;
}

bool UnknownExits::AnyUnnamed() const {
  return std::any_of(exits_.begin(), exits_.end(),
                     [](const Exit& exit) { return exit.age != Age::kNamed; });
}

}  // namespace troupe
