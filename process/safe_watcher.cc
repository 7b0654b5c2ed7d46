#include "process/safe_watcher.h"

#include <memory>
#include <utility>

#include "process/sigchld_lease.h"
#include "process/watcher_state.h"

namespace troupe {
namespace {

class SafeSource : public ExitSource {
 public:
  SafeSource(WatcherState& watcher, SignalRelay relay)
      : watcher_(watcher), lease_(watcher, std::move(relay)) {}

  const Kind& kind() const override {
    static constexpr Kind kKind = {.name = "safe"};
    return kKind;
  }
  void Attach(Done done) override { lease_.Begin(std::move(done)); }
  void Detach(Done done) override { lease_.End(std::move(done)); }
  // SIGCHLD is caught: an exit after this look is heard of.
  void Add(pid_t pid, SharedFd&, Done done) override {
    done(absl::OkStatus());
    watcher_.Poll(pid);
  }
  void AskAll() override { watcher_.PollAll(); }
  // One SIGCHLD may stand for many (C27).
  void OnSignal() override { watcher_.PollAll(); }
  bool OnDown(const caf::actor_addr& who) override { return lease_.IsOf(who); }

 private:
  WatcherState& watcher_;
  SigchldLease lease_;
};

}  // namespace

ChildWatcher SpawnSafeWatcher(IoHost& host, const SignalRelay& relay) {
  return SpawnWatcher(host, [relay](WatcherState& watcher) {
    return std::make_unique<SafeSource>(watcher, relay);
  });
}

}  // namespace troupe
