#include "process/orphan_ledger.h"

#include <utility>

namespace troupe {

OrphanLedger::Serial OrphanLedger::SpawnBegins() {
  on_their_way_.insert(++last_);
  return last_;
}

void OrphanLedger::SpawnEnds(Serial serial, pid_t pid) {
  on_their_way_.erase(serial);
  if (pid > 0) ours_.insert(pid);
}

std::vector<ProcessEntry> OrphanLedger::Sort(
    const std::vector<ProcessEntry>& zombies) {
  std::vector<ProcessEntry> orphans;
  std::map<pid_t, Note> noted;
  for (const ProcessEntry& zombie : zombies) {
    if (IsOurs(zombie.pid)) continue;
    Note note{zombie.start, last_};
    const auto before = noted_.find(zombie.pid);
    if (before != noted_.end() && before->second.start == zombie.start) {
      note = before->second;
    }
    if (IsDecided(note)) {
      orphans.push_back(zombie);
    } else {
      noted.emplace(zombie.pid, note);
    }
  }
  noted_ = std::move(noted);
  return orphans;
}

}  // namespace troupe
