// What all child watchers have in common: who watches which child, who is told,
// once, and what is left when somebody dies. How exits are heard of is the
// ExitSource's. Its sources are by subject: the children and their observers,
// and whether it listens.
//
// Every handler runs on the watcher's host.
#ifndef TROUPE_PROCESS_WATCHER_STATE_H_
#define TROUPE_PROCESS_WATCHER_STATE_H_

#include <sys/types.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <unordered_map>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "caf/actor_addr.hpp"
#include "caf/allowed_unsafe_message_type.hpp"
#include "caf/typed_event_based_actor.hpp"
#include "caf/typed_response_promise.hpp"
#include "io/io_host.h"
#include "io/io_messages.h"
#include "io/resident.h"
#include "process/exit_source.h"
#include "process/process_messages.h"
#include "process/reap.h"
#include "signals/signal_messages.h"

namespace troupe {

// From the thread that waited.
struct WaitOver {
  pid_t pid = -1;
  uint64_t serial = 0;
};

using WatcherInterface =
    ChildWatcher::extend<caf::reacts_to<FdReady>, caf::reacts_to<WatchEnded>,
                         caf::reacts_to<SignalReceived>,
                         caf::reacts_to<WaitOver>, caf::reacts_to<TimerFired>>;

class WatcherState {
 public:
  static constexpr const char* name = "child-watcher";
  using Self = WatcherInterface::stateful_base<WatcherState>;

  explicit WatcherState(Self* self) : self_(self) {}
  ~WatcherState();

  void Init(IoHost* host, std::unique_ptr<ExitSource> source);

  caf::result<WatchingChild> Watch(WatchChild& request);
  caf::result<ChildUnwatched> Unwatch(pid_t pid);
  void ReapZombie(const ReapChild& request);
  caf::result<WatcherAttached> Attach();
  caf::result<WatcherDetached> Detach(bool close);
  caf::result<WatcherInfo> Ask();
  void OnDown(const caf::actor_addr& who);

  ExitSource& source() { return *source_; }

  // For the source.

  // Asks how the child has ended, and tells it if it has. A status that
  // somebody else took is told as lost.
  void Poll(pid_t pid);
  void PollAll();
  // Tells an exit, if it was not told yet.
  void Tell(pid_t pid, const ExitReport& report, bool reaped);
  // Whether its exit is still to be told, was told and its zombie is kept, or
  // neither.
  bool IsAwaited(pid_t pid) const;
  bool IsKept(pid_t pid) const;
  absl::StatusOr<std::optional<ExitReport>> Look(pid_t pid) const;
  std::vector<pid_t> Awaited() const;
  size_t CountAwaited() const { return children_.size() - told_; }
  void Log(absl::string_view line) const;
  Self* self() const { return self_; }
  IoHost& host() const { return *host_; }

 private:
  using Watching = caf::typed_response_promise<WatchingChild>;
  using Settled = std::function<void(absl::Status)>;

  enum class Phase { kDetached, kAttaching, kAttached };

  struct Child {
    SharedFd pidfd;  // null: by its pid alone
    ChildObserver observer;
    uint64_t serial = 0;
    std::vector<Watching> starting;  // answered when the watch stands
    bool standing = false;
    bool told = false;  // a zombie that waits for ReapZombie
  };

  static ChildId IdOf(pid_t pid, const Child& child);
  void BeginAttach();
  void Attached(uint64_t attempt, const absl::Status& status);
  void Settle(const absl::Status& status);
  // Calls `then` when it is known whether it listens.
  void WhenSettled(Settled then);
  bool active() const;

  absl::Status Check(const WatchChild& request) const;
  void Begin(WatchChild request, Watching promise);
  void Standing(pid_t pid, uint64_t serial, const absl::Status& status);
  void Forget(pid_t pid, const absl::Status& why);
  void ForgetAll();
  void Monitor(const ChildObserver& observer);
  void StopMonitoring(const ChildObserver& observer);

  Self* self_;
  IoHost* host_ = nullptr;
  std::unique_ptr<ExitSource> source_;
  Phase phase_ = Phase::kDetached;
  uint64_t attempt_ = 0;  // to listen; a detach ends it
  uint64_t serial_ = 0;
  std::unordered_map<pid_t, Child> children_;
  size_t told_ = 0;  // of them
  // How many children each observer watches; monitored while it is listed.
  std::unordered_map<caf::actor_addr, int> observers_;
  std::vector<Settled> settling_;
};

using WatcherResident = StatefulResident<WatcherInterface, WatcherState>;

// Resident on `host`; hidden. `make` is called on its thread.
ChildWatcher SpawnWatcher(
    IoHost& host,
    std::function<std::unique_ptr<ExitSource>(WatcherState&)> make);

}  // namespace troupe

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::WaitOver)

#endif  // TROUPE_PROCESS_WATCHER_STATE_H_
