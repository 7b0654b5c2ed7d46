// A command made ready for the child: every string, array and descriptor it
// will need, so that the child only makes system calls.
//
// Owns all of it but the command, and the environment where that is ours; the
// ChildSetup it hands out borrows. Alive, like the command, until clone has
// returned. Dropping it closes what it opened.
#ifndef TROUPE_PROCESS_SPAWN_PLAN_H_
#define TROUPE_PROCESS_SPAWN_PLAN_H_

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "io/owned_fd.h"
#include "process/child_setup.h"
#include "process/command.h"
#include "process/pty.h"

namespace troupe {

class SpawnPlan {
 public:
  // For a command that passed Validate. Errors: those of OpenStdio.
  static absl::StatusOr<std::unique_ptr<SpawnPlan>> Prepare(
      const Command& command, SpawnFlags* flags);

  ChildSetup* setup() { return &setup_; }

  bool changes_ids() const {
    return setup_.uid >= 0 || setup_.gid >= 0 || setup_.group_count >= 0;
  }

  // Our end of the stream on 0, 1 or 2; invalid if there is none.
  OwnedFd TakePipe(int number) { return std::move(pipes_[number]); }
  // Our end of the pty.
  OwnedFd TakeTerminal() { return std::move(pty_.ours); }

  // What the child was doing, to what, and `error_number`: the status for its
  // caller.
  absl::Status Failure(int error_number) const;

 private:
  explicit SpawnPlan(const Command& command) : command_(command) {}
  SpawnPlan(const SpawnPlan&) = delete;
  SpawnPlan& operator=(const SpawnPlan&) = delete;

  // What the child's step works on: a path, a number.
  std::string Subject() const;

  absl::Status PrepareDescriptors();
  absl::Status PreparePty();
  absl::Status PrepareCgroup();
  absl::StatusOr<int> PrepareStdio(const Stdio& stdio, int number);
  void PrepareStrings();
  void PrepareScheduling();
  void PrepareLimits();
  void PrepareIds();
  void PrepareSignals();

  const Command& command_;
  std::vector<std::string> environment_;
  std::vector<std::string> candidates_;
  std::vector<const char*> argv_pointers_;
  std::vector<const char*> environment_pointers_;
  std::vector<const char*> candidate_pointers_;
  std::vector<gid_t> groups_;
  std::vector<unsigned long> cpus_;
  std::string oom_score_;
  std::vector<ChildLimit> limits_;
  std::vector<OwnedFd> opened_;
  OwnedFd cgroup_, cgroup_folder_;
  std::vector<FdMove> moves_;
  OwnedFd pipes_[3];
  Pty pty_;
  ChildSetup setup_;
};

}  // namespace troupe

#endif  // TROUPE_PROCESS_SPAWN_PLAN_H_
