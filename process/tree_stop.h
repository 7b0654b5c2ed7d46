// One child and all that came of it, on the way down a stop plan.
//
//   auto stop = TreeStop::Make({.leader = pid, .reach = TreeReach::kSession},
//                              plan);
//   auto next = stop->Begin(now);
//   ... at stop->wake_at():    next = stop->OnTime(now);
//   ... kDone or kGaveUp:      stop->Report()   killed, left, escaped
//
// The leader is a child of ours that nobody has reaped: a zombie will do, and
// pins the numbers of its group and its session. Whoever reaps it while the
// walk goes on (the owner of a StartProcess with keep_group does not) ends the
// search for new members; those known are still stopped.
//
//   kGroup        who is in the leader's group: it leads one
//   kSession      who is in its session: it leads one. Shells with job control
//                 give each job a group of its own, in one session
//   kDescendants  who has the leader among its ancestors, whatever group, and
//                 the leader's own group, if it leads one. Who lost a parent on
//                 the way and is in another group is not found
//   kCgroup       who is in the leaf cgroup it was started in: nobody leaves
//                 that who may not write there
//
// A signal to a group or the kill of a cgroup is one call that no fork escapes.
// Beyond the leader's own group a signal to a session or to descendants goes
// one by one, each through a pidfd whose process was looked at after it was
// opened: no stranger is hit. Before a SIGKILL all of them are stopped, until a
// look at the table finds nobody new: who is stopped neither forks nor leaves.
// Who turns up later gets his SIGKILL then.
//
// Escaped is who is related, alive and out of reach: descendants that made a
// group or session of their own, and of `suspects`, whom the caller found
// otherwise (holders of the child's pipes, orphans that a subreaper adopted),
// those not reached. They are left alone.
//
// What remains racy: beyond the leader's group, a process whose parent forked
// it and ended while the table was read can be missed by one look, and by
// kDescendants for good; one that forks and ends in a circle may never be
// caught: that takes a cgroup. Who was born and ended by the group's signal
// between two looks is not in the report. Members of another user are left,
// with EPERM, if we may not signal them. Where pidfds are forbidden only kGroup
// and kCgroup kill.
//
// Reads /proc at each step: for a thread that may block. Not for several at
// once.
#ifndef TROUPE_PROCESS_TREE_STOP_H_
#define TROUPE_PROCESS_TREE_STOP_H_

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "process/cgroup.h"
#include "process/process_table.h"
#include "process/stop_plan.h"
#include "process/stop_walk.h"

namespace troupe {

enum class TreeReach { kGroup, kSession, kDescendants, kCgroup };

struct TreeTarget {
  pid_t leader = -1;
  TreeReach reach = TreeReach::kGroup;
  std::shared_ptr<const Cgroup> cgroup = nullptr;  // of kCgroup
  std::vector<pid_t> suspects = {};
};

// Pids, ascending. Of what has ended they may mean strangers by now.
struct TreeReport {
  std::vector<pid_t> killed;   // were signalled, and have ended
  std::vector<pid_t> left;     // within reach, and alive
  std::vector<pid_t> escaped;  // see above
};

class TreeStop {
 public:
  using TimePoint = StopWalk::TimePoint;

  enum class Next {
    kWait,    // until wake_at()
    kDone,    // nobody within reach is alive
    kGaveUp,  // the plan is over, and somebody is
  };

  // InvalidArgument: no plan (see Validate), no such reach without its cgroup.
  // FailedPrecondition: no child of ours, or it does not lead what is to be
  // stopped.
  static absl::StatusOr<TreeStop> Make(TreeTarget target, StopPlan plan);

  // Errors: /proc cannot be read.
  absl::StatusOr<Next> Begin(TimePoint now);
  absl::StatusOr<Next> OnTime(TimePoint now);
  TimePoint wake_at() const { return wake_at_; }

  TreeReport Report() const;

 private:
  struct Member {
    ProcessEntry entry;
    bool within = false;  // reach
    bool alive = true;
    bool signalled = false;
  };
  // A number can be given again while the walk goes on.
  using Key = std::pair<pid_t, uint64_t>;

  TreeStop(TreeTarget target, StopPlan plan, ProcessEntry leader)
      : target_(std::move(target)), walk_(std::move(plan)), leader_(leader) {}

  absl::StatusOr<Next> Go(TimePoint now, std::vector<int> signals);
  // Brings members_ up to date. How many that are within were not before.
  absl::StatusOr<int> Look();
  bool IsWithin(const ProcessEntry& entry,
                const std::vector<pid_t>& in_cgroup) const;
  void Admit(const ProcessEntry& entry, bool within);
  absl::Status Send(int signal);
  absl::Status HoldAll();
  bool InLeadersGroup(const ProcessEntry& entry) const;
  void SendToEach(int signal);

  TreeTarget target_;
  StopWalk walk_;
  ProcessEntry leader_;
  bool leader_is_ours_ = true;  // at the last look
  bool killing_ = false;        // SIGKILL was sent
  std::map<Key, Member> members_;
  TimePoint wake_at_;
  std::chrono::milliseconds check_{5};
};

}  // namespace troupe

#endif  // TROUPE_PROCESS_TREE_STOP_H_
