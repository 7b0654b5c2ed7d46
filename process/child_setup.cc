#include "process/child_setup.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>

#include "process/child_code.h"
#include "process/child_descriptors.h"

namespace troupe {
namespace {

// Only this process moves: "0" is the writer.
TROUPE_CHILD bool EnterCgroup(ChildSetup* setup) {
  setup->step = SpawnStep::kCgroup;
  return setup->cgroup < 0 || Ok(syscall(SYS_write, setup->cgroup, "0", 1));
}

TROUPE_CHILD bool EnterGroup(ChildSetup* setup) {
  if (setup->group == ProcessGroup::kNewGroup) {
    setup->step = SpawnStep::kGroup;
    return Ok(syscall(SYS_setpgid, 0, 0));
  }
  if (setup->group == ProcessGroup::kInherit) {
    setup->step = SpawnStep::kGroup;
    return setup->join_group == 0 ||
           Ok(syscall(SYS_setpgid, 0, setup->join_group));
  }
  setup->step = SpawnStep::kNewSession;
  if (!Ok(syscall(SYS_setsid))) return false;
  if (setup->terminal < 0) return true;
  setup->step = SpawnStep::kTerminal;
  return Ok(syscall(SYS_ioctl, setup->terminal, TIOCSCTTY, 0));
}

TROUPE_CHILD bool EnterDirectory(ChildSetup* setup) {
  setup->step = SpawnStep::kChdir;
  if (setup->cwd != nullptr && !Ok(syscall(SYS_chdir, setup->cwd))) {
    return false;
  }
  if (setup->umask >= 0) syscall(SYS_umask, setup->umask);  // cannot fail
  return true;
}

// The score is the child's own although it runs in our memory: the kernel makes
// an exception for a vfork.
TROUPE_CHILD bool SetOomScore(ChildSetup* setup) {
  setup->step = SpawnStep::kOomScore;
  if (setup->oom_score == nullptr) return true;
  long fd = syscall(SYS_openat, AT_FDCWD, "/proc/self/oom_score_adj",
                    O_WRONLY | O_CLOEXEC, 0);
  if (!Ok(fd)) return false;
  bool written =
      Ok(syscall(SYS_write, fd, setup->oom_score, setup->oom_score_size));
  int saved = errno;
  syscall(SYS_close, fd);
  errno = saved;
  return written;
}

TROUPE_CHILD bool SetScheduling(ChildSetup* setup) {
  setup->step = SpawnStep::kNice;
  if (setup->nice != nullptr &&
      !Ok(syscall(SYS_setpriority, PRIO_PROCESS, 0, *setup->nice))) {
    return false;
  }
  setup->step = SpawnStep::kCpus;
  if (setup->cpus != nullptr &&
      !Ok(syscall(SYS_sched_setaffinity, 0, setup->cpus_size, setup->cpus))) {
    return false;
  }
  return SetOomScore(setup);
}

TROUPE_CHILD bool SetLimits(ChildSetup* setup) {
  setup->step = SpawnStep::kLimits;
  for (int i = 0; i < setup->limit_count; ++i) {
    setup->detail = setup->limits[i].resource;
    if (!Ok(syscall(SYS_prlimit64, 0, setup->limits[i].resource,
                    setup->limits[i].value, nullptr))) {
      return false;
    }
  }
  setup->detail = -1;
  return true;
}

TROUPE_CHILD bool SetIds(ChildSetup* setup) {
  setup->step = SpawnStep::kGroups;
  if (setup->group_count >= 0 &&
      !Ok(syscall(SYS_setgroups, setup->group_count, setup->groups))) {
    return false;
  }
  setup->step = SpawnStep::kGid;
  if (setup->gid >= 0 &&
      !Ok(syscall(SYS_setresgid, setup->gid, setup->gid, setup->gid))) {
    return false;
  }
  setup->step = SpawnStep::kUid;
  return setup->uid < 0 ||
         Ok(syscall(SYS_setresuid, setup->uid, setup->uid, setup->uid));
}

TROUPE_CHILD bool FollowParent(ChildSetup* setup) {
  if (setup->parent_death_signal == 0) return true;
  setup->step = SpawnStep::kParentDeath;
  if (!Ok(syscall(SYS_prctl, PR_SET_PDEATHSIG, setup->parent_death_signal, 0, 0,
                  0))) {
    return false;
  }
  if (syscall(SYS_getppid) == setup->parent) return true;
  errno = ESRCH;  // it died before the kernel knew we care
  return false;
}

// Struct sigaction as the kernel has it begins with the handler and is no
// longer than this; all zeros are the default action.
struct KernelAction {
  unsigned long words[4];
};

TROUPE_CHILD bool SetDispositions(ChildSetup* setup) {
  setup->step = SpawnStep::kDispositions;
  for (int number = 1; number <= 64; ++number) {
    if (number == SIGKILL || number == SIGSTOP) continue;
    const ChildSignal wanted = setup->signals[number];
    if (setup->handlers_reset && wanted == ChildSignal::kAsItIs) continue;
    setup->detail = number;
    KernelAction action;
    if (!Ok(syscall(SYS_rt_sigaction, number, nullptr, &action, 8))) {
      return false;
    }
    const unsigned long now = action.words[0];  // 0: default, 1: ignored
    const unsigned long then = wanted == ChildSignal::kIgnore  ? 1
                               : wanted == ChildSignal::kReset ? 0
                               : now == 1                      ? 1
                                                               : 0;
    if (now == then) continue;
    for (unsigned long& word : action.words) word = 0;
    action.words[0] = then;
    if (!Ok(syscall(SYS_rt_sigaction, number, &action, nullptr, 8))) {
      return false;
    }
  }
  setup->detail = -1;
  return true;
}

TROUPE_CHILD bool SetMask(ChildSetup* setup) {
  setup->step = SpawnStep::kMask;
  return Ok(
      syscall(SYS_rt_sigprocmask, SIG_SETMASK, &setup->blocked, nullptr, 8));
}

// Returns when it has failed, except for ETXTBSY, for good: waits 1, 2, 4 ...
// ms. Abort may kill the child meanwhile.
TROUPE_CHILD int ExecOne(ChildSetup* setup, const char* path) {
  long wait[2] = {0, 1'000'000};  // seconds, nanoseconds
  for (;;) {
    syscall(SYS_execve, path, setup->argv, setup->envp);
    if (errno != ETXTBSY || setup->flags->busy == kBusyTries) return errno;
    __atomic_add_fetch(&setup->flags->busy, 1, __ATOMIC_SEQ_CST);
    syscall(SYS_nanosleep, wait, nullptr);
    wait[1] *= 2;
  }
}

// Tries each candidate. "Not there" moves on, "not allowed" moves on and is
// remembered, anything else is the answer; no shell is tried for ENOEXEC.
TROUPE_CHILD void Exec(ChildSetup* setup) {
  setup->step = SpawnStep::kExec;
  bool denied = false;
  int error = ENOENT;
  for (const char* const* path = setup->candidates; *path != nullptr; ++path) {
    error = ExecOne(setup, *path);
    if (error == EACCES) denied = true;
    if (error != EACCES && error != ENOENT && error != ENOTDIR) return;
  }
  errno = denied ? EACCES : error;
  // With a PATH, a file among its folders is not what the caller did wrong.
  if (!denied && setup->candidates[1] != nullptr) errno = ENOENT;
}

}  // namespace

// The cgroup first, so that its limits count all of it; then descriptors, while
// the limits still allow their numbers; the session before the terminal, the
// terminal after stdin is in place; the directory, the scheduling and the
// limits while we may still be root, groups before gid before uid for the same
// reason; the scheduling before the limits, which may forbid it or the
// descriptor it needs. A change of uid clears the parent-death signal, so that
// follows. Dispositions before the mask: a signal in between would run our
// parent's handler in our parent's memory.
TROUPE_CHILD int RunChildSetup(void* argument) {
  ChildSetup* setup = static_cast<ChildSetup*>(argument);
  setup->flags->pid = static_cast<int>(syscall(SYS_getpid));
  __atomic_store_n(&setup->flags->started, 1, __ATOMIC_SEQ_CST);
  if (__atomic_load_n(&setup->flags->aborted, __ATOMIC_SEQ_CST)) return 127;
  if (EnterCgroup(setup) && MoveDescriptors(setup) && CloseOthers(setup) &&
      EnterGroup(setup) && EnterDirectory(setup) && SetScheduling(setup) &&
      SetLimits(setup) && SetIds(setup) && FollowParent(setup) &&
      SetDispositions(setup) && SetMask(setup)) {
    Exec(setup);
  }
  setup->error_number = errno;
  return 127;
}

const char* SpawnStepName(SpawnStep step) {
  switch (step) {
    case SpawnStep::kStart:
      return "spawn";
    case SpawnStep::kCgroup:
      return "write";
    case SpawnStep::kDescriptors:
      return "dup";
    case SpawnStep::kCloseOthers:
      return "close_range";
    case SpawnStep::kGroup:
      return "setpgid";
    case SpawnStep::kNewSession:
      return "setsid";
    case SpawnStep::kTerminal:
      return "ioctl(TIOCSCTTY)";
    case SpawnStep::kChdir:
      return "chdir";
    case SpawnStep::kNice:
      return "setpriority";
    case SpawnStep::kCpus:
      return "sched_setaffinity";
    case SpawnStep::kOomScore:
      return "write";
    case SpawnStep::kLimits:
      return "setrlimit";
    case SpawnStep::kGroups:
      return "setgroups";
    case SpawnStep::kGid:
      return "setgid";
    case SpawnStep::kUid:
      return "setuid";
    case SpawnStep::kParentDeath:
      return "prctl(PR_SET_PDEATHSIG)";
    case SpawnStep::kDispositions:
      return "sigaction";
    case SpawnStep::kMask:
      return "sigprocmask";
    case SpawnStep::kExec:
      return "exec";
  }
  return "spawn";
}

}  // namespace troupe
