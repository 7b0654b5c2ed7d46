// Which of our children are orphans: descendants that lost their parent and
// were given to us, because we are their subreaper (prctl(2)).
//
//   OrphanLedger ledger;
//   auto serial = ledger.SpawnBegins();        // a spawn is on its way
//   ledger.SpawnEnds(serial, pid);             // it made this child; 0: none
//   ledger.Remove(pid);                        // that is reaped
//   for (pid : ledger.Sort(zombies)) Reap(pid) // those that are nobody's
//
// The kernel does not say whose a child is: that it is ours is known by what we
// have made. But a child can have ended before we are told that it was made. So
// a zombie that nobody knows, seen while spawns are on their way, is only
// noted; it is an orphan when all of those have been answered and it is still
// there, the same one, and still nobody's. Nobody loses a status meanwhile: a
// zombie stays.
//
// No system call, no thread of its own.
#ifndef TROUPE_PROCESS_ORPHAN_LEDGER_H_
#define TROUPE_PROCESS_ORPHAN_LEDGER_H_

#include <sys/types.h>

#include <cstdint>
#include <map>
#include <set>
#include <vector>

#include "process/process_table.h"

namespace troupe {

class OrphanLedger {
 public:
  using Serial = uint64_t;

  Serial SpawnBegins();
  void SpawnEnds(Serial serial, pid_t pid);

  // A child that somebody else in the program has made and waits for.
  void Add(pid_t pid) { ours_.insert(pid); }
  void Remove(pid_t pid) {
    auto one = ours_.find(pid);
    if (one != ours_.end()) ours_.erase(one);
  }
  bool IsOurs(pid_t pid) const { return ours_.count(pid) != 0; }

  // Takes all zombies among our children, in any order; says which are orphans
  // for sure.
  std::vector<ProcessEntry> Sort(const std::vector<ProcessEntry>& zombies);

  // Some are only noted: Sort again after SpawnEnds.
  bool IsUndecided() const { return !noted_.empty(); }

 private:
  struct Note {
    uint64_t start = 0;  // of the zombie
    Serial last = 0;     // the last spawn that had begun then
  };

  bool IsDecided(const Note& note) const {
    return on_their_way_.empty() || *on_their_way_.begin() > note.last;
  }

  // A number that was freed can be a new child's before we are told of both.
  std::multiset<pid_t> ours_;
  std::set<Serial> on_their_way_;
  std::map<pid_t, Note> noted_;
  Serial last_ = 0;
};

}  // namespace troupe

#endif  // TROUPE_PROCESS_ORPHAN_LEDGER_H_
