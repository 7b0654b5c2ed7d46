#include "process/clone_child.h"

#include <linux/sched.h>
#include <sanitizer/asan_interface.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <new>
#include <utility>

namespace troupe {
namespace {

// Its own pages with a guard below. A thread has one for all of its children,
// who have it one after the other: to map one for each costs a tenth of a
// spawn.
class ChildStack {
 public:
  ChildStack()
      : base_(mmap(nullptr, kGuard + kSize, PROT_NONE,
                   MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0)) {
    if (base_ == MAP_FAILED) return;
    if (mprotect(bottom(), kSize, PROT_READ | PROT_WRITE) != 0) {
      munmap(base_, kGuard + kSize);
      base_ = MAP_FAILED;
    }
  }
  ~ChildStack() {
    if (valid()) munmap(base_, kGuard + kSize);
  }
  ChildStack(const ChildStack&) = delete;
  ChildStack& operator=(const ChildStack&) = delete;

  // Null and ENOMEM if there is no memory.
  static ChildStack* OfThisThread() {
    thread_local ChildStack stack;
    // Made anew after a failure.
    if (!stack.valid()) new (&stack) ChildStack;
    if (!stack.valid()) {
      errno = ENOMEM;
      return nullptr;
    }
    // A sanitizer must not know of the child before.
    ASAN_UNPOISON_MEMORY_REGION(stack.bottom(), kSize);
    return &stack;
  }

  char* bottom() const { return static_cast<char*>(base_) + kGuard; }
  char* top() const { return bottom() + kSize; }
  static constexpr size_t kSize = 64 * 1024;

 private:
  static constexpr size_t kGuard = 64 * 1024;  // a page, however large

  bool valid() const { return base_ != MAP_FAILED; }

  void* base_;
};

// Of the 64 signals, the two that libc keeps for itself included:
// sigprocmask(3) would leave those out.
class SignalsBlocked {
 public:
  explicit SignalsBlocked(uint64_t signals) {
    syscall(SYS_rt_sigprocmask, SIG_BLOCK, &signals, &before_, sizeof signals);
  }
  ~SignalsBlocked() {
    int saved = errno;
    syscall(SYS_rt_sigprocmask, SIG_SETMASK, &before_, nullptr, sizeof before_);
    errno = saved;
  }
  SignalsBlocked(const SignalsBlocked&) = delete;
  SignalsBlocked& operator=(const SignalsBlocked&) = delete;

 private:
  uint64_t before_ = 0;
};

constexpr uint64_t kSigchld = uint64_t{1} << (SIGCHLD - 1);

// For a kernel or a filter that does not know the call, or not with this flag.
bool IsUnknown(int error_number) {
  return error_number == ENOSYS || error_number == EPERM ||
         error_number == EINVAL;
}

// clone3(2), for which libc has no function: the child calls RunChildSetup and
// never comes back here. The pid or minus the error.
long Clone3(clone_args* arguments, ChildSetup* setup) {
  long result = -ENOSYS;
#if defined(__x86_64__)
  asm volatile(
      "syscall\n\t"
      "test %%rax, %%rax\n\t"
      "jnz 1f\n\t"
      "mov %[setup], %%rdi\n\t"
      "call *%[run]\n\t"
      "mov %%eax, %%edi\n\t"
      "mov %[exit], %%eax\n\t"
      "syscall\n"
      "1:\n"
      : "=a"(result)
      : "0"(SYS_clone3), "D"(arguments), "S"(sizeof *arguments),
        [run] "r"(&RunChildSetup), [setup] "r"(setup), [exit] "i"(SYS_exit)
      : "rcx", "r11", "cc", "memory");
#elif defined(__aarch64__)
  register long x8 asm("x8") = SYS_clone3;
  register long x0 asm("x0") = reinterpret_cast<long>(arguments);
  register long x1 asm("x1") = sizeof *arguments;
  asm volatile(
      "svc 0\n\t"
      "cbnz x0, 1f\n\t"
      "mov x0, %[setup]\n\t"
      "blr %[run]\n\t"
      "mov x8, %[exit]\n\t"
      "svc 0\n"
      "1:\n"
      : "+r"(x0)
      : "r"(x8), "r"(x1), [run] "r"(&RunChildSetup), [setup] "r"(setup),
        [exit] "i"(SYS_exit)
      : "cc", "memory");
  result = x0;
#endif
  return result;
}

pid_t CloneBy3(uint64_t more_flags, ChildSetup* setup,
               const ChildStack& stack) {
  clone_args arguments = {};
  arguments.flags =
      CLONE_VM | CLONE_VFORK | CLONE_PIDFD | CLONE_CLEAR_SIGHAND | more_flags;
  arguments.pidfd = reinterpret_cast<uintptr_t>(&setup->flags->pidfd);
  arguments.exit_signal = SIGCHLD;
  arguments.stack = reinterpret_cast<uintptr_t>(stack.bottom());
  arguments.stack_size = ChildStack::kSize;
  if (more_flags & CLONE_INTO_CGROUP) arguments.cgroup = setup->cgroup_folder;
  setup->handlers_reset = true;
  setup->flags->pidfd = -1;
  const long result = Clone3(&arguments, setup);
  if (result >= 0) return static_cast<pid_t>(result);
  errno = static_cast<int>(-result);
  return -1;
}

// It is born there and has no step to make for it.
pid_t CloneInCgroup(ChildSetup* setup, const ChildStack& stack) {
  const int procs = std::exchange(setup->cgroup, -1);
  const pid_t pid = CloneBy3(CLONE_INTO_CGROUP, setup, stack);
  if (pid < 0) setup->cgroup = procs;
  return pid;
}

// The child begins with our handlers, which must not run in it.
pid_t CloneWith(int more_flags, ChildSetup* setup, const ChildStack& stack) {
  SignalsBlocked blocked(kSigchld);
  setup->handlers_reset = false;
  setup->flags->pidfd = -1;  // a clone that failed may have left one there
  return clone(RunChildSetup, stack.top(),
               CLONE_VM | CLONE_VFORK | SIGCHLD | more_flags, setup,
               &setup->flags->pidfd);
}

}  // namespace

pid_t CloneChild(ChildSetup* setup) {
  const ChildStack* stack = ChildStack::OfThisThread();
  if (stack == nullptr) return -1;
  // The child may end before the mask is restored: see sigchld_mask.h.
  SignalsBlocked blocked(~kSigchld);
  // Where that is forbidden or refused, the child says why when it tries.
  pid_t pid = setup->cgroup >= 0 ? CloneInCgroup(setup, *stack) : -1;
  if (pid < 0) pid = CloneBy3(0, setup, *stack);
  if (pid < 0 && IsUnknown(errno)) pid = CloneWith(CLONE_PIDFD, setup, *stack);
  if (pid < 0 && IsUnknown(errno)) pid = CloneWith(0, setup, *stack);
  return pid;
}

}  // namespace troupe
