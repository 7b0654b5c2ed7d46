#include "process/threaded_watcher.h"

#include <memory>
#include <unordered_map>
#include <utility>

#include "caf/send.hpp"
#include "process/exit_waiter.h"
#include "process/reap.h"
#include "process/watcher_state.h"

namespace troupe {
namespace {

class ThreadedSource : public ExitSource {
 public:
  explicit ThreadedSource(WatcherState& watcher) : watcher_(watcher) {}

  const Kind& kind() const override {
    static constexpr Kind kKind = {
        .name = "threaded", .can_detach = false, .always_active = true};
    return kKind;
  }
  void Add(pid_t pid, SharedFd& pidfd, Done done) override;
  // Cancelled and joined; two threads for one child steal from each other (C9).
  void Remove(pid_t pid) override { waiting_.erase(pid); }
  void AskAll() override {}
  void OnWaitOver(pid_t pid, uint64_t serial) override;

 private:
  struct Waiting {
    uint64_t serial = 0;
    std::unique_ptr<ExitWaiter> thread;
  };

  WatcherState& watcher_;
  uint64_t serial_ = 0;
  std::unordered_map<pid_t, Waiting> waiting_;
};

void ThreadedSource::Add(pid_t pid, SharedFd& pidfd, Done done) {
  const uint64_t serial = ++serial_;
  // The handle keeps the watcher while its thread waits, as a watch would.
  WatcherInterface self(watcher_.self());
  auto thread =
      ExitWaiter::Start(ChildId::Of(pid, pidfd == nullptr ? -1 : pidfd->get()),
                        [self, pid, serial] {
                          caf::anon_send(self, WaitOver{pid, serial});
                        });
  if (!thread.ok()) return done(thread.status());
  waiting_[pid] = {serial, *std::move(thread)};
  done(absl::OkStatus());
}

// The thread is joined before anybody is told.
void ThreadedSource::OnWaitOver(pid_t pid, uint64_t serial) {
  auto found = waiting_.find(pid);
  if (found == waiting_.end() || found->second.serial != serial) return;
  waiting_.erase(found);
  watcher_.Poll(pid);
}

}  // namespace

ChildWatcher SpawnThreadedWatcher(IoHost& host) {
  return SpawnWatcher(host, [](WatcherState& watcher) {
    return std::make_unique<ThreadedSource>(watcher);
  });
}

}  // namespace troupe
