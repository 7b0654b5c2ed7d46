// Takes from the calling thread, and from those that it starts, root's right to
// signal everybody (CAP_KILL of capabilities(7)); gives it back at the end.
//
//   class StrangersTest : private NoKillCapability, public ProcessTest {
//     ... a child with another uid may not be signalled now: EPERM
//
// As a base before the fixture that starts the threads.
#ifndef TROUPE_TESTS_SUPPORT_NO_KILL_CAPABILITY_H_
#define TROUPE_TESTS_SUPPORT_NO_KILL_CAPABILITY_H_

namespace troupe {

// A user that is nobody's, for the children.
inline constexpr unsigned kStrangersUid = 54321;

class NoKillCapability {
 public:
  NoKillCapability();
  ~NoKillCapability();
  NoKillCapability(const NoKillCapability&) = delete;
  NoKillCapability& operator=(const NoKillCapability&) = delete;

  // False for who is not root, or may not become another user: a child with
  // another uid cannot be made then.
  static bool MayHaveStrangers();
};

}  // namespace troupe

#endif  // TROUPE_TESTS_SUPPORT_NO_KILL_CAPABILITY_H_
