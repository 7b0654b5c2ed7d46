// A process that outlives us to end what we leave: if we are killed (`kill -9`,
// out of memory), it ends the groups of our children, grandchildren included.
//
//   int main(int argc, char** argv) {
//     if (IsGuard(argc, argv)) return RunGuard(0);     // first thing
//     ...
//     auto guard = Guard::Start(GuardCommand());     // outlives the children
//     services.spawner = SpawnGuarded(host, *guard, services.spawner);
//
// The guard reads a pipe whose only writer we are; the kernel closes it however
// we end. We write which groups are ours; at the end of the pipe the guard
// kills those that it was not told are over, and ends. It is in a session of
// its own, with stdio but the pipe closed, so that it holds nothing and no
// terminal signals it.
//
// A member of such a group is killed by its group's number if the leader is
// still there, else one by one, as far as it was born before our end. Who has
// left its group is out of reach (a cgroup reaches it, see AddCgroup), and so
// is a child that was made less than a message's time before our end:
// parent_death_signal ends that one. If we die between the reaping of a leader
// and telling so, and within that moment its number goes round and becomes a
// new group's, that is killed.
//
// It is a child that no spawner knows: an OrphanReaper must be told to spare
// it.
//
// Add, AddCgroup and Remove may be called by any thread; each is a write of one
// line. They say kUnavailable if the guard is gone. If it does not read, so do
// the first two; a Remove waits then, and is told before anything else.
#ifndef TROUPE_PROCESS_GUARD_H_
#define TROUPE_PROCESS_GUARD_H_

#include <sys/types.h>

#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "process/command.h"
#include "process/spawn.h"

namespace troupe {

class Guard {
 public:
  // Runs `command`, whose program calls RunGuard(0), as a child of this thread.
  static absl::StatusOr<std::shared_ptr<Guard>> Start(Command command);

  // Ends it without killing anybody, and reaps it: waits until it has read
  // that.
  ~Guard();
  Guard(const Guard&) = delete;
  Guard& operator=(const Guard&) = delete;

  absl::Status Add(pid_t group);
  absl::Status Remove(pid_t group);
  // With all that are in it at our end (cgroup.h).
  absl::Status AddCgroup(const std::string& folder);

  pid_t pid() const { return child_.pid; }

 private:
  explicit Guard(SpawnedChild child) : child_(std::move(child)) {}

  absl::Status Tell(const std::string& line);
  // What waits, as far as the pipe takes it. Both: 0, or errno.
  int Flush();
  int Write(const std::string& line);

  SpawnedChild child_;
  std::mutex mutex_;
  std::deque<std::string> unsent_;
};

// This program once more, with an argument that IsGuard knows.
Command GuardCommand();
bool IsGuard(int argc, char** argv);

// The guard's main: returns its exit code when there is nothing more to do.
int RunGuard(int input);

}  // namespace troupe

#endif  // TROUPE_PROCESS_GUARD_H_
