#include "process/multi_loop_watcher.h"

#include <fcntl.h>

#include <cerrno>
#include <memory>
#include <utility>
#include <vector>

#include "io/fd_ticket.h"
#include "io/os_error.h"
#include "io/owned_fd.h"
#include "io/status_error.h"
#include "process/sigchld_lease.h"
#include "process/watcher_state.h"
#include "signals/signal_buffer.h"
#include "signals/signal_delivery.h"

namespace troupe {
namespace {

class MultiLoopSource : public ExitSource {
 public:
  MultiLoopSource(WatcherState& watcher, IoActor io, SignalRelay relay)
      : watcher_(watcher),
        io_(std::move(io)),
        lease_(watcher, std::move(relay)) {}

  const Kind& kind() const override {
    static constexpr Kind kKind = {.name = "multi-loop", .can_detach = false};
    return kKind;
  }
  void Attach(Done done) override;
  void Detach(Done done) override;
  void Add(pid_t pid, SharedFd&, Done done) override {
    done(absl::OkStatus());
    watcher_.Poll(pid);
  }
  void AskAll() override { watcher_.PollAll(); }
  void OnReady(WatchId watch) override;
  bool OnDown(const caf::actor_addr& who) override { return lease_.IsOf(who); }

 private:
  void Watching(uint64_t attempt, WatchId watch, const Done& done);
  void EndTap();

  WatcherState& watcher_;
  IoActor io_;
  SigchldLease lease_;
  uint64_t attempt_ = 0;
  std::shared_ptr<SignalBuffer> tap_;  // while attached
  WatchId watch_;                      // of it
  std::vector<SignalDelivery> deliveries_;
};

// The I/O actor closes what it watches, at a time of its own: a copy.
absl::StatusOr<FdTicket> CopyOf(int fd) {
  OwnedFd copy(fcntl(fd, F_DUPFD_CLOEXEC, 0));
  if (!copy.valid()) return OsError(errno, "fcntl F_DUPFD_CLOEXEC");
  return FdTicket(std::move(copy));
}

void MultiLoopSource::Attach(Done done) {
  EndTap();  // of a relay that has ended
  // Nobody asks which SIGCHLD it was: they may be merged at once (V19).
  auto tap = SignalBuffer::Create({.exact = 1});
  if (!tap.ok()) return done(tap.status());
  auto fd = CopyOf((*tap)->fd());
  if (!fd.ok()) return done(fd.status());
  tap_ = *std::move(tap);
  WatcherState::Self* self = watcher_.self();
  self->request(io_, caf::infinite,
                WatchFd{*std::move(fd), -1, FdObserver(self), {}})
      .then(
          [=, this, attempt = ++attempt_](const WatchStarted& started) {
            Watching(attempt, started.watch, done);
          },
          [=](const caf::error& why) { done(StatusOf(why)); });
}

void MultiLoopSource::Watching(uint64_t attempt, WatchId watch,
                               const Done& done) {
  if (attempt != attempt_) {  // detached meanwhile
    watcher_.self()->send(io_, EndWatch{watch});
    return;
  }
  watch_ = watch;
  watcher_.host().watches().Arm(watch, Side::kRead, Interest::kReadable);
  lease_.Begin(done, tap_);
}

void MultiLoopSource::EndTap() {
  ++attempt_;
  tap_.reset();
  if (watch_ == WatchId()) return;
  watcher_.self()->send(io_, EndWatch{std::exchange(watch_, {})});
}

void MultiLoopSource::Detach(Done done) {
  EndTap();
  lease_.End([=, this](absl::Status restored) {
    if (!restored.ok()) {
      watcher_.Log("SIGCHLD handler was changed by outside code");
    }
    done(std::move(restored));
  });
}

// Drained first: what ends after the look writes again.
void MultiLoopSource::OnReady(WatchId watch) {
  if (tap_ == nullptr || !(watch == watch_)) return;
  tap_->Drain(deliveries_);
  deliveries_.clear();
  watcher_.PollAll();
  watcher_.host().watches().Arm(watch, Side::kRead, Interest::kReadable);
}

}  // namespace

ChildWatcher SpawnMultiLoopWatcher(IoHost& host, const IoActor& io,
                                   const SignalRelay& relay) {
  return SpawnWatcher(host, [io, relay](WatcherState& watcher) {
    return std::make_unique<MultiLoopSource>(watcher, io, relay);
  });
}

}  // namespace troupe
