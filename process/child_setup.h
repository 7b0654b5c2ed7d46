// What a child does between clone and exec, in its parent's memory.
//
// The child borrows the parent's whole address space while the spawning thread
// is suspended. So RunChildSetup makes system calls and nothing else: no
// allocation, no lock, no instrumented code, no noreturn function (a sanitizer
// would clean up the parent's stack). All it needs was prepared by SpawnPlan
// and lies in a ChildSetup; all it has to tell, it writes there.
//
// The order of its steps is fixed; see RunChildSetup for what depends on what.
//
// A program that is open for writing somewhere is ETXTBSY. Often that is one
// that was just written, and a child of another thread, forked meanwhile by
// somebody else, has the descriptor until its own exec. So it is tried again,
// kBusyTries times within a quarter of a second.
#ifndef TROUPE_PROCESS_CHILD_SETUP_H_
#define TROUPE_PROCESS_CHILD_SETUP_H_

#include <sys/types.h>

#include <cstdint>

#include "process/command.h"
#include "process/spawn_attempt.h"

namespace troupe {

enum class SpawnStep {
  kStart,
  kCgroup,
  kDescriptors,
  kCloseOthers,
  kGroup,
  kNewSession,
  kTerminal,
  kChdir,
  kNice,
  kCpus,
  kOomScore,
  kLimits,
  kGroups,
  kGid,
  kUid,
  kParentDeath,
  kDispositions,
  kMask,
  kExec,
};

// The system call behind a step, as messages name it: "chdir", "exec".
const char* SpawnStepName(SpawnStep step);

struct FdMove {
  int source;
  int target;
};

// struct rlimit64 as the kernel has it.
struct ChildLimit {
  int resource;
  uint64_t value[2];  // soft, hard
};

// What becomes of a signal in the child.
enum class ChildSignal : unsigned char {
  kAsItIs,  // reset if we catch it, kept if we ignore it
  kReset,
  kIgnore,
};

// All pointers are borrowed from the plan.
struct ChildSetup {
  int cgroup = -1;          // cgroup.procs of the one to enter, for writing
  int cgroup_folder = -1;   // the same one's folder
  FdMove* moves = nullptr;  // by target, ascending; sources are rewritten
  int move_count = 0;
  ProcessGroup group = ProcessGroup::kInherit;
  pid_t join_group = 0;
  int terminal = -1;  // the number of what becomes the session's
  const char* cwd = nullptr;
  int umask = -1;
  const int* nice = nullptr;
  const unsigned long* cpus = nullptr;  // a bit for each
  long cpus_size = 0;                   // in bytes
  const char* oom_score = nullptr;      // as text
  long oom_score_size = 0;
  const ChildLimit* limits = nullptr;
  int limit_count = 0;
  const gid_t* groups = nullptr;
  int group_count = -1;
  int64_t gid = -1;
  int64_t uid = -1;
  int parent_death_signal = 0;
  pid_t parent = 0;
  ChildSignal signals[65] = {};  // by number
  bool handlers_reset = false;   // by the kernel: nothing is caught here
  uint64_t blocked = 0;          // bit 0 for signal 1
  const char* const* candidates = nullptr;  // nullptr ends it
  const char* const* argv = nullptr;
  const char* const* envp = nullptr;
  SpawnFlags* flags = nullptr;

  // Written by the child: where it is, the number of the descriptor or resource
  // it works on there, and why it ended without exec.
  SpawnStep step = SpawnStep::kStart;
  int detail = -1;
  int error_number = 0;
};

constexpr int kBusyTries = 8;  // after the first

// For clone(2); `setup` is a ChildSetup. Returns only when exec did not happen,
// with the code the child ends with.
int RunChildSetup(void* setup);

}  // namespace troupe

#endif  // TROUPE_PROCESS_CHILD_SETUP_H_
