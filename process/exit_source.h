// How a child watcher hears that children end: what its five kinds differ in.
// The actor around it, with everything they have in common, is WatcherState
// (watcher_state.h), which calls all of this on the watcher's host.
#ifndef TROUPE_PROCESS_EXIT_SOURCE_H_
#define TROUPE_PROCESS_EXIT_SOURCE_H_

#include <sys/types.h>

#include <cstdint>
#include <functional>

#include "absl/status/status.h"
#include "caf/actor_addr.hpp"
#include "io/watch_id.h"
#include "process/process_messages.h"

namespace troupe {

class ExitSource {
 public:
  using Done = std::function<void(absl::Status)>;

  // What the C rows say of the kinds.
  struct Kind {
    const char* name;
    // DetachWatcher stops it (C3); CloseWatcher stops all that listen.
    bool can_detach = true;
    bool keeps_children = true;   // while it is detached (C3)
    bool warns_at_close = false;  // of children it forgets (C5)
    bool always_active = false;   // C2
    bool logs_exits = true;       // C19
    // What is said of a status that somebody else took (C7); $0: the pid.
    const char* lost_text =
        "Unknown child process pid $0, will report returncode 255";
  };

  virtual ~ExitSource() = default;
  virtual const Kind& kind() const = 0;

  // Starts and stops listening. `done` is called once, now or later; behind it
  // the state asks for all children.
  virtual void Attach(Done done) { done(absl::OkStatus()); }
  virtual void Detach(Done done) { done(absl::OkStatus()); }

  // Listens for one more. After `done(OK)`, not before, its exit is told.
  virtual void Add(pid_t pid, SharedFd& pidfd, Done done) = 0;
  // The end of that, told or not.
  virtual void Remove(pid_t) {}

  // Asks for the children whose exit is not told.
  virtual void AskAll() = 0;

  // All children are forgotten.
  virtual void Clear() {}

  // Messages that only some kinds get.
  virtual void OnReady(WatchId) {}
  virtual void OnSignal() {}
  virtual void OnWaitOver(pid_t, uint64_t /*serial*/) {}
  virtual void OnTimer() {}
  virtual bool OnDown(const caf::actor_addr&) { return false; }  // deaf now
};

}  // namespace troupe

#endif  // TROUPE_PROCESS_EXIT_SOURCE_H_
