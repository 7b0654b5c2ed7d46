// A leaf of the control group tree (v2) for one child and all its offspring:
// the one thing nobody leaves by a fork, a group or a session of his own.
//
//   auto cgroup = Cgroup::Make();             // below our own cgroup
//   command.cgroup = (*cgroup)->folder();     // the child starts in it
//   ...
//   (*cgroup)->Kill();                        // all of them, in one call
//   (*cgroup)->IsPopulated();                 // a moment later: nobody
//
// That asks for a cgroup that was delegated to us: a place where we may make
// folders, as root, in a container or by systemd's Delegate=yes (cgroups(7)).
// Make says why if there is none:
//   kUnimplemented       cgroup v2 is not mounted
//   kFailedPrecondition  our own cgroup is not to be seen or not writable
//
// The folder goes with the object, if nobody is in it; else it stays, and can
// be removed when it is empty. Any thread; each call is a few system calls.
#ifndef TROUPE_PROCESS_CGROUP_H_
#define TROUPE_PROCESS_CGROUP_H_

#include <sys/types.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace troupe {

class Cgroup {
 public:
  static absl::StatusOr<std::shared_ptr<Cgroup>> Make();
  // Below this folder of the cgroup file system, whoever delegated it.
  static absl::StatusOr<std::shared_ptr<Cgroup>> MakeBelow(
      const std::string& parent);

  ~Cgroup();
  Cgroup(const Cgroup&) = delete;
  Cgroup& operator=(const Cgroup&) = delete;

  const std::string& folder() const { return folder_; }

  // Processes, not zombies, also of groups that they have made below.
  // Ascending.
  absl::StatusOr<std::vector<pid_t>> Members() const;
  // Whether there is any. False after a Kill is the proof that all are gone.
  absl::StatusOr<bool> IsPopulated() const;

  // SIGKILL to everybody at once, forks included. NotFound before Linux 5.14.
  absl::Status Kill() const;
  // Stops everybody, whatever they do about signals; the kernel takes a moment:
  // see IsFrozen. A frozen process can be killed.
  absl::Status Freeze(bool frozen) const;
  absl::StatusOr<bool> IsFrozen() const;

  // Moves a process in. What it has forked before stays where it is, so better
  // start it there: Command::cgroup.
  absl::Status Add(pid_t pid) const;

  // FailedPrecondition while somebody is in it. Afterwards nothing else works.
  absl::Status Remove();

 private:
  explicit Cgroup(std::string folder) : folder_(std::move(folder)) {}

  absl::StatusOr<bool> Event(absl::string_view name) const;

  std::string folder_;
};

// Kill and Remove for a folder that another program has made.
absl::Status KillCgroup(const std::string& folder);
absl::Status RemoveCgroup(const std::string& folder);

// Where we are: the folder of our own cgroup. Errors as Make.
absl::StatusOr<std::string> OwnCgroup();

// The same from the texts of /proc/self/mountinfo and /proc/self/cgroup.
absl::StatusOr<std::string> OwnCgroupOf(absl::string_view mounts,
                                        absl::string_view cgroups);

}  // namespace troupe

#endif  // TROUPE_PROCESS_CGROUP_H_
