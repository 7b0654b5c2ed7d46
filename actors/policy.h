// Which loop belongs to a thread, and which watcher to new children (rows PO1
// to PO7): made from a System and passed down to who needs it.
//
//   LoopPolicy policy(*system);
//   auto loop = policy.GetLoop();   // the main thread's, made by this call
//   std::thread([&] {
//     policy.SetLoop(*policy.NewLoop());  // kept by the policy
//     ... code that calls policy.GetLoop() ...
//   });
//   Subprocess child = SpawnSubprocess(policy.processes());
//
// A thread's loop is kept until SetLoop, until the thread ends, or until the
// policy ends, and is closed with its last owner; it must not be running then,
// but for one that SetLoop replaces while it runs, which stays until it does
// not.
// The system must outlive the policy. Any thread.
#ifndef TROUPE_ACTORS_POLICY_H_
#define TROUPE_ACTORS_POLICY_H_

#include <memory>
#include <mutex>
#include <vector>

#include "absl/status/statusor.h"
#include "actors/loop.h"
#include "actors/system.h"
#include "process/process_messages.h"
#include "process/subprocess.h"

namespace troupe {

class LoopPolicy {
 public:
  explicit LoopPolicy(System& system) : system_(system) {}
  ~LoopPolicy();
  LoopPolicy(const LoopPolicy&) = delete;
  LoopPolicy& operator=(const LoopPolicy&) = delete;

  absl::StatusOr<std::shared_ptr<Loop>> NewLoop();

  // The calling thread's; null: none.
  void SetLoop(std::shared_ptr<Loop> loop);

  // The loop that runs on this thread, if one does, whoever made it; else the
  // thread's. The main thread makes one at its first call, unless SetLoop came
  // before. kFailedPrecondition `There is no current event loop in thread
  // 'NAME'.` Borrowed.
  absl::StatusOr<Loop*> GetLoop();

  // The system's pidfd watcher, unless another one was set.
  ChildWatcher GetChildWatcher();

  // For children started from now on; an empty handle: the system's again. A
  // watcher that is replaced goes on with the children it has and ends with
  // its last handle.
  void SetChildWatcher(ChildWatcher watcher);

  // The system's, with the watcher of this policy.
  ProcessServices processes();

  // The policy of the whole program, for those that nothing is passed to; null
  // unless the program has named one. It is borrowed, and forgotten when it
  // ends.
  static LoopPolicy* Default();
  static void SetDefault(LoopPolicy* policy);

 private:
  struct Slot;  // one thread's

  Slot& Mine();

  System& system_;
  std::mutex mutex_;  // guards what follows
  std::vector<std::weak_ptr<Slot>> slots_;
  ChildWatcher watcher_;  // empty: the system's
};

}  // namespace troupe

#endif  // TROUPE_ACTORS_POLICY_H_
