// Runs a part of a test where the kernel refuses some system calls, as it does
// in a sandbox.
//
//   EXPECT_EQ(RunRefusing({{SYS_pidfd_open, EPERM}}, [] { return Work(); }),
//             "done");
//
// In a child process made by fork, because a filter (seccomp(2)) cannot be
// taken away; so the caller may have no other threads that matter to `work`.
// A filter is its thread's and that of the threads and processes it makes.
#ifndef TROUPE_TESTS_SUPPORT_SECCOMP_FILTER_H_
#define TROUPE_TESTS_SUPPORT_SECCOMP_FILTER_H_

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace troupe {

// Instead of an errno: whoever makes the call is ended by SIGSYS.
inline constexpr int kEndsTheCaller = -1;

struct RefusedCall {
  long number = 0;
  int error_number = 0;
  uint32_t if_flags = 0;  // only with one of these bits in the first argument
};

// For good, on this thread; false if the kernel has no filters.
bool RefuseCalls(const std::vector<RefusedCall>& calls);

// What `work` returns, or how its process ended without that. What it leaves
// (children, descriptors) is told behind the answer.
std::string RunRefusing(const std::vector<RefusedCall>& calls,
                        const std::function<std::string()>& work);

}  // namespace troupe

#endif  // TROUPE_TESTS_SUPPORT_SECCOMP_FILTER_H_
