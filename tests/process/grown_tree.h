// A running tests/children/grow_tree: who is in it.
//
//   GrownTree tree({"member", "session"});
//   tree.pid("session"); tree.leader().pid;
//   tree.End();      // all of it is gone, whatever the test has done
#ifndef TROUPE_TESTS_PROCESS_GROWN_TREE_H_
#define TROUPE_TESTS_PROCESS_GROWN_TREE_H_

#include <sys/types.h>

#include <map>
#include <string>
#include <vector>

#include "process/command.h"
#include "process/process_table.h"
#include "process/spawn.h"

namespace troupe {

class GrownTree {
 public:
  explicit GrownTree(const std::vector<std::string>& roles,
                     Command command = {});
  ~GrownTree() { End(); }

  const SpawnedChild& leader() const { return leader_; }
  pid_t pid(const std::string& role) const { return pids_.at(role).pid; }
  // Ascending.
  std::vector<pid_t> pids(const std::vector<std::string>& roles) const;

  // Returns when nobody has the tree's stdout any more.
  void AwaitEnd();
  // Reaps the leader.
  void Reap();
  void End();

 private:
  SpawnedChild leader_;
  std::map<std::string, ProcessEntry> pids_;
};

}  // namespace troupe

#endif  // TROUPE_TESTS_PROCESS_GROWN_TREE_H_
