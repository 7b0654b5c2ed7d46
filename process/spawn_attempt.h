// A way for another thread to end a spawn that hangs.
//
//   SpawnAttempt attempt;                    // shared by both threads
//   auto child = Spawn(command, &attempt);   // spawner: stuck in exec on a
//                                            // dead network file system
//   attempt.Abort();                         // a clock's thread
//   // Spawn returns DEADLINE_EXCEEDED: exec "/nfs/tool": Timer expired
//
// For one Spawn. The child is killed through its pidfd, whose number the kernel
// writes here as it makes the child, or by its pid (child_signal.h); Spawn
// closes the one and reaps the other only after Finish, so Abort never reaches
// a stranger. What Spawn does before there is a child (opening files) cannot be
// cut short: the abort then takes effect as soon as it is done.
#ifndef TROUPE_PROCESS_SPAWN_ATTEMPT_H_
#define TROUPE_PROCESS_SPAWN_ATTEMPT_H_

#include <functional>
#include <mutex>

namespace troupe {

// Shared with the child while it runs in our memory, hence plain integers,
// accessed with __atomic builtins.
struct SpawnFlags {
  int pidfd = -1;   // by the kernel, before the child runs
  int pid = 0;      // by the child, first thing
  int started = 0;  // by the child, next
  int aborted = 0;  // by Abort
  int busy = 0;     // by the child: how often its program was being written
};

class SpawnAttempt {
 public:
  SpawnAttempt() = default;
  SpawnAttempt(const SpawnAttempt&) = delete;
  SpawnAttempt& operator=(const SpawnAttempt&) = delete;

  // Any thread, any time. False when Spawn is already past the child's exec or
  // its failure: nothing was done. A child that may not be killed, because it
  // has become another user's, runs in spite of it, and Spawn returns it.
  bool Abort();

  // Calls `abort` when it is aborted, on that thread, or at once if it was: for
  // whoever lets the spawn wait before it begins. Once; nothing after Finish.
  void WhenAborted(std::function<void()> abort);

  // The rest is Spawn's. Begin: false when aborted before anything happened.
  bool Begin();

  // After it Abort does nothing; true if it did something before.
  bool Finish();

  SpawnFlags* flags() { return &flags_; }

 private:
  enum class Phase { kWaiting, kRunning, kOver };

  std::mutex mutex_;
  Phase phase_ = Phase::kWaiting;
  SpawnFlags flags_;
  std::function<void()> when_aborted_;
};

}  // namespace troupe

#endif  // TROUPE_PROCESS_SPAWN_ATTEMPT_H_
