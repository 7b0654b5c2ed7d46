#include "process/pidfd_watcher.h"

#include <unistd.h>

#include <memory>
#include <unordered_map>
#include <utility>

#include "io/owned_fd.h"
#include "io/status_error.h"
#include "process/open_pidfd.h"
#include "process/watcher_state.h"

namespace troupe {
namespace {

class PidfdSource : public ExitSource {
 public:
  PidfdSource(WatcherState& watcher, IoActor io)
      : watcher_(watcher), io_(std::move(io)) {}

  const Kind& kind() const override {
    static constexpr Kind kKind = {
        .name = "pidfd",
        .keeps_children = false,
        .warns_at_close = true,
        .logs_exits = false,
        .lost_text =
            "child process pid $0 exit status already read:  will "
            "report returncode 255"};
    return kKind;
  }
  void Add(pid_t pid, SharedFd& pidfd, Done done) override;
  void Remove(pid_t pid) override;
  void AskAll() override {}
  void OnReady(WatchId watch) override;

 private:
  struct Watch {
    uint64_t serial = 0;
    WatchId id;  // when it stands
  };

  void Started(pid_t pid, uint64_t serial, WatchId watch, const Done& done);

  WatcherState& watcher_;
  IoActor io_;
  uint64_t serial_ = 0;
  std::unordered_map<pid_t, Watch> watches_;
  std::unordered_map<uint64_t, pid_t> by_id_;
};

void PidfdSource::Add(pid_t pid, SharedFd& pidfd, Done done) {
  if (pidfd == nullptr) {
    auto opened = OpenPidfd(pid);
    if (!opened.ok()) return done(opened.status());
    pidfd = std::make_shared<const OwnedFd>(*std::move(opened));
  }
  const uint64_t serial = ++serial_;
  watches_[pid] = {serial, {}};
  WatcherState::Self* self = watcher_.self();
  self->request(io_, caf::infinite,
                WatchFd{{}, pidfd->get(), FdObserver(self), {}})
      .then(
          [=, this](const WatchStarted& started) {
            Started(pid, serial, started.watch, done);
          },
          [=](const caf::error& why) { done(StatusOf(why)); });
}

void PidfdSource::Started(pid_t pid, uint64_t serial, WatchId watch,
                          const Done& done) {
  auto found = watches_.find(pid);
  if (found == watches_.end() || found->second.serial != serial) {
    watcher_.self()->send(io_, EndWatch{watch});  // removed meanwhile
    return;
  }
  found->second.id = watch;
  by_id_[watch.value] = pid;
  done(absl::OkStatus());
  watcher_.host().watches().Arm(watch, Side::kRead, Interest::kReadable);
}

void PidfdSource::Remove(pid_t pid) {
  auto found = watches_.find(pid);
  if (found == watches_.end()) return;
  const WatchId watch = found->second.id;
  watches_.erase(found);
  if (watch == WatchId()) return;
  by_id_.erase(watch.value);
  watcher_.self()->send(io_, EndWatch{watch});
}

// Readable is not reapable.
void PidfdSource::OnReady(WatchId watch) {
  auto found = by_id_.find(watch.value);
  if (found == by_id_.end()) return;
  const pid_t pid = found->second;
  watcher_.Poll(pid);
  if (watcher_.IsAwaited(pid)) {
    watcher_.host().watches().Arm(watch, Side::kRead, Interest::kReadable);
  }
}

}  // namespace

bool CanUsePidfd() { return OpenPidfd(getpid()).ok(); }

ChildWatcher SpawnPidfdWatcher(IoHost& host, const IoActor& io) {
  return SpawnWatcher(host, [io](WatcherState& watcher) {
    return std::make_unique<PidfdSource>(watcher, io);
  });
}

}  // namespace troupe
