// Waits for what nothing tells of: a thread that is about to leave, a zombie
// that somebody is about to reap, a file of /proc.
//
//   EXPECT_TRUE(YieldUntil([&] { return IsGone(pid); }));
//
// Lets others run until it holds, and does not sleep. False if it does not come
// in time. Whatever can be waited for (a Trace, a pidfd, a pipe) should be.
#ifndef TROUPE_TESTS_SUPPORT_YIELD_UNTIL_H_
#define TROUPE_TESTS_SUPPORT_YIELD_UNTIL_H_

#include <chrono>
#include <functional>

namespace troupe {

bool YieldUntil(
    const std::function<bool()>& holds,
    std::chrono::steady_clock::duration patience = std::chrono::seconds(20));

}  // namespace troupe

#endif  // TROUPE_TESTS_SUPPORT_YIELD_UNTIL_H_
