#include "process/tree_stop.h"

#include <signal.h>
#include <unistd.h>

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "process/child_signal.h"
#include "process/process_tree.h"

namespace troupe {
namespace {

// The tree is looked at with growing pauses up to this.
constexpr std::chrono::milliseconds kLastCheck{250};

// Who forks without end in spite of being stopped is not waited for.
constexpr int kMostLooks = 1000;

bool IsChildOfOurs(const std::optional<ProcessEntry>& entry) {
  return entry.has_value() && entry->parent == getpid();
}

absl::Status Refuse(pid_t leader, const char* why) {
  return absl::FailedPreconditionError(
      absl::StrCat("process ", leader, " ", why));
}

}  // namespace

absl::StatusOr<TreeStop> TreeStop::Make(TreeTarget target, StopPlan plan) {
  absl::Status valid = Validate(plan);
  if (!valid.ok()) return valid;
  if (target.reach == TreeReach::kCgroup && target.cgroup == nullptr) {
    return absl::InvalidArgumentError("a tree by cgroup needs the cgroup");
  }
  const auto leader = ReadProcess(target.leader);
  if (!IsChildOfOurs(leader)) {
    return Refuse(target.leader, "is no child of ours, or is reaped");
  }
  if (target.reach == TreeReach::kGroup && leader->group != leader->pid) {
    return Refuse(leader->pid, "leads no process group");
  }
  if (target.reach == TreeReach::kSession && leader->session != leader->pid) {
    return Refuse(leader->pid, "leads no session");
  }
  return TreeStop(std::move(target), std::move(plan), *leader);
}

absl::StatusOr<TreeStop::Next> TreeStop::Begin(TimePoint now) {
  for (pid_t pid : target_.suspects) {
    const auto entry = ReadProcess(pid);
    if (entry.has_value()) Admit(*entry, /*within=*/false);
  }
  return Go(now, walk_.Start(now));
}

absl::StatusOr<TreeStop::Next> TreeStop::OnTime(TimePoint now) {
  return Go(now, walk_.Advance(now));
}

// Looks once before the signals of a step and once behind them.
absl::StatusOr<TreeStop::Next> TreeStop::Go(TimePoint now,
                                            std::vector<int> signals) {
  // Who was not found before the SIGKILL gets it now.
  if (killing_ && signals.empty()) signals = {SIGKILL};
  if (!signals.empty()) {
    auto before = Look();
    if (!before.ok()) return before.status();
  }
  for (int signal : signals) {
    absl::Status sent = Send(signal);
    if (!sent.ok()) return sent;
  }
  auto fresh = Look();
  if (!fresh.ok()) return fresh.status();
  const bool any =
      std::any_of(members_.begin(), members_.end(), [](const auto& member) {
        return member.second.within && member.second.alive;
      });
  if (!any) return Next::kDone;
  if (walk_.gave_up()) return Next::kGaveUp;
  wake_at_ = std::min(walk_.deadline().value_or(now + check_), now + check_);
  check_ = std::min(check_ * 2, kLastCheck);
  return Next::kWait;
}

// A group's or a session's number means this one's as long as the leader is not
// reaped: after that nobody is admitted, and who is known stays what he is.
bool TreeStop::IsWithin(const ProcessEntry& entry,
                        const std::vector<pid_t>& in_cgroup) const {
  const auto known = members_.find({entry.pid, entry.start});
  const bool was = known != members_.end() && known->second.within;
  if (!leader_is_ours_ || !entry.IsAlive()) return was;
  switch (target_.reach) {
    case TreeReach::kGroup:
      return entry.group == target_.leader;
    case TreeReach::kSession:
      return entry.session == target_.leader;
    case TreeReach::kDescendants:
      return was || entry.IsSameAs(leader_) || InLeadersGroup(entry);
    case TreeReach::kCgroup:
      return std::binary_search(in_cgroup.begin(), in_cgroup.end(), entry.pid);
  }
  return false;
}

bool TreeStop::InLeadersGroup(const ProcessEntry& entry) const {
  return leader_.group == leader_.pid && entry.group == leader_.pid;
}

void TreeStop::Admit(const ProcessEntry& entry, bool within) {
  if (entry.pid == getpid()) return;
  Member& member = members_[{entry.pid, entry.start}];
  member.entry = entry;
  member.within = within;
  member.alive = entry.IsAlive();
}

// Who is within by himself comes first; then the descendants of all that are
// known, however deep. They are within if that is what is asked for.
absl::StatusOr<int> TreeStop::Look() {
  // Before the table: who is in the cgroup now is in the table or has ended.
  std::vector<pid_t> in_cgroup;
  if (target_.reach == TreeReach::kCgroup) {
    auto listed = target_.cgroup->Members();
    if (!listed.ok()) return listed.status();
    in_cgroup = *std::move(listed);
  }
  auto table = ListProcesses();
  if (!table.ok()) return table.status();
  const auto leader = ReadProcess(leader_.pid);
  leader_is_ours_ = leader_.IsSameAs(leader) && IsChildOfOurs(leader);

  std::map<Key, bool> before;  // within
  for (auto& [key, member] : members_) {
    before[key] = member.within && member.alive;
    member.alive = false;
  }
  std::multimap<pid_t, const ProcessEntry*> by_parent;
  std::vector<const ProcessEntry*> related;
  for (const ProcessEntry& entry : *table) {
    by_parent.emplace(entry.parent, &entry);
    const bool within = IsWithin(entry, in_cgroup);
    const bool known = members_.count({entry.pid, entry.start}) != 0;
    if (!within && !known && !entry.IsSameAs(leader_)) continue;
    Admit(entry, within);
    related.push_back(&entry);
  }
  for (size_t i = 0; i < related.size(); ++i) {
    const auto parent = members_.find({related[i]->pid, related[i]->start});
    if (parent == members_.end()) continue;
    const bool inherits =
        target_.reach == TreeReach::kDescendants && parent->second.within;
    auto [child, end] = by_parent.equal_range(related[i]->pid);
    for (; child != end; ++child) {
      const ProcessEntry& entry = *child->second;
      const auto seen = members_.find({entry.pid, entry.start});
      if (seen != members_.end() && (seen->second.within || !inherits))
        continue;
      Admit(entry, inherits);
      related.push_back(&entry);
    }
  }
  int fresh = 0;
  for (const auto& [key, member] : members_) {
    const auto was = before.find(key);
    if (member.within && member.alive &&
        (was == before.end() || !was->second)) {
      ++fresh;
    }
  }
  return fresh;
}

absl::Status TreeStop::Send(int signal) {
  if (signal == SIGKILL) killing_ = true;
  if (signal == SIGKILL && target_.reach != TreeReach::kGroup) {
    if (target_.reach == TreeReach::kCgroup && target_.cgroup->Kill().ok()) {
      for (auto& [key, member] : members_) member.signalled |= member.within;
      return absl::OkStatus();
    }
    absl::Status held = HoldAll();
    if (!held.ok()) return held;
  }
  SendToEach(signal);
  return absl::OkStatus();
}

absl::Status TreeStop::HoldAll() {
  for (int i = 0; i < kMostLooks; ++i) {
    SendToEach(SIGSTOP);
    auto fresh = Look();
    if (!fresh.ok()) return fresh.status();
    if (*fresh == 0) break;
  }
  return absl::OkStatus();
}

// The leader is known to be ours and pins its group, so their number will do.
// Last, because its end sends SIGHUP and SIGCONT to groups that were stopped.
void TreeStop::SendToEach(int signal) {
  const bool group = leader_is_ours_ && leader_.group == leader_.pid &&
                     target_.reach != TreeReach::kCgroup;
  for (auto& [key, member] : members_) {
    if (!member.within || !member.alive) continue;
    if (group && InLeadersGroup(member.entry)) {
      member.signalled = true;
    } else if (leader_is_ours_ && member.entry.IsSameAs(leader_)) {
      member.signalled |= SignalChild(leader_.pid, -1, signal).ok();
    } else {
      member.signalled |= SignalSeen(member.entry, signal).ok();
    }
  }
  if (group) (void)SignalGroup(leader_.pid, signal);
}

TreeReport TreeStop::Report() const {
  TreeReport report;
  for (const auto& [key, member] : members_) {
    const pid_t pid = key.first;
    if (member.alive) {
      (member.within ? report.left : report.escaped).push_back(pid);
    } else if (member.within && member.signalled) {
      report.killed.push_back(pid);
    }
  }
  return report;
}

}  // namespace troupe
