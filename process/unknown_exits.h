// How children ended that nobody had asked for: what waitpid(-1) took along.
//
//   UnknownExits exits(/*limit=*/1024);
//   exits.Add(pid, report);
//   auto report = exits.Take(pid);      // its owner came after all
//   for (auto& [pid, report] : exits.Mature()) ...   // a stranger's, it seems
//
// Bounded: the oldest goes first. Each is named by Mature or Unnamed at most
// once, and can still be taken then.
#ifndef TROUPE_PROCESS_UNKNOWN_EXITS_H_
#define TROUPE_PROCESS_UNKNOWN_EXITS_H_

#include <sys/types.h>

#include <cstddef>
#include <deque>
#include <optional>
#include <vector>

#include "process/exit_report.h"
#include "process/reap.h"

namespace troupe {

class UnknownExits {
 public:
  explicit UnknownExits(size_t limit) : limit_(limit) {}

  // Replaces what is known of an earlier process with this pid.
  void Add(const ReapedChild& child);
  std::optional<ExitReport> Take(pid_t pid);

  // Those that were there at the last call already.
  std::vector<ReapedChild> Mature();
  // All that were not named yet.
  std::vector<ReapedChild> Unnamed();
  bool AnyUnnamed() const;
  size_t size() const { return exits_.size(); }
  void Clear() { exits_.clear(); }

 private:
  enum class Age { kNew, kSeen, kNamed };
  struct Exit {
    ReapedChild child;
    Age age = Age::kNew;
  };

  size_t limit_;
  std::deque<Exit> exits_;  // the oldest first
};

}  // namespace troupe

#endif  // TROUPE_PROCESS_UNKNOWN_EXITS_H_
