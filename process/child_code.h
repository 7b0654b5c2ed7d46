// What code between clone and exec is made of (child_setup.h).
#ifndef TROUPE_PROCESS_CHILD_CODE_H_
#define TROUPE_PROCESS_CHILD_CODE_H_

// Every function of the child carries it. libc's syscall() is not instrumented
// and touches nothing but errno, which is the suspended thread's.
#define TROUPE_CHILD \
  __attribute__((noinline, no_sanitize("address", "undefined", "thread")))

namespace troupe {

// Of a system call.
TROUPE_CHILD inline bool Ok(long result) { return result >= 0; }

}  // namespace troupe

#endif  // TROUPE_PROCESS_CHILD_CODE_H_
